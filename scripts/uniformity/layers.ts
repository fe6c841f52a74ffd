/**
 * @module The layers of the house as a table, and the rules that hold them. `turbo boundaries`
 * checks the tags; these rules check that the tags are right, and what tags cannot say.
 */
import { packageOf } from "./imports.ts";
import type { Rule } from "./rule.ts";
import type { Member, Workspace } from "./workspace.ts";

type Layer = "base" | "module" | "composition" | "app";

/** Every member that may exist and its layer; a new package gets its line here. */
const LAYERS: Readonly<Record<string, Layer>> = {
  core: "base",
  linux: "base",
  tlog: "base",
  "wasm-binary": "base",
  testkit: "base",
  "manifest-validator": "module",
  "wasm-validator": "module",
  "wasm-metering": "module",
  limiter: "module",
  sandbox: "module",
  "capability-broker": "module",
  "secret-store": "module",
  "data-guard": "module",
  auditor: "module",
  signer: "module",
  monitor: "module",
  runtime: "composition",
  host: "app",
  dashboard: "app",
};

/** What a layer may depend on. Modules know no other module: only the runtime composes. */
const ALLOWED: Readonly<Record<Layer, readonly Layer[]>> = {
  base: ["base"],
  module: ["base"],
  composition: ["base", "module"],
  app: ["base", "composition"],
};

const SCOPE = "@glovebox/";

/** Each member carries exactly the tag of its layer. */
const tagMatchesLayer: Rule = ({ members }, report) => {
  for (const member of members) {
    const layer = LAYERS[member.name];
    if (layer === undefined)
      report(member.folder, "has no layer: add it to scripts/uniformity/layers.ts");
    else if (member.tags.join() !== layer)
      report(`${member.folder}/turbo.json`, `tags must be ["${layer}"]`);
  }
};

/** Dependencies point downwards, development dependencies too. */
const dependenciesStayInLayer: Rule = ({ members }, report) => {
  for (const member of members) {
    for (const name of internalDependencies(member)) {
      if (isAllowed(member, name) || (member.kind === "app" && LAYERS[name] === "module")) continue;
      report(
        `${member.folder}/package.json`,
        `${LAYERS[member.name]} must not depend on ${SCOPE}${name}`,
      );
    }
  }
};

/** An app composes through the runtime; an offline command may use one module. */
const appsUseOneModulePerCommand: Rule = ({ members }, report) => {
  for (const app of members.filter(({ kind }) => kind === "app")) {
    for (const { path, imports } of app.source) {
      const modules = new Set(internalImports(imports).filter((name) => LAYERS[name] === "module"));
      const place = `${app.folder}/${path}`;
      if (modules.size > 1)
        report(place, `imports ${[...modules].join(" and ")}; a command may use one module`);
      if (modules.size > 0 && !path.startsWith("src/commands/")) {
        report(
          place,
          `imports ${[...modules].join()}; only files in src/commands/ may import a module`,
        );
      }
    }
  }
};

/** Source code imports only what its layer allows, and never the test kit. */
const importsStayInLayer: Rule = ({ members }, report) => {
  for (const member of members) {
    for (const { path, imports } of member.source) {
      for (const name of internalImports(imports)) {
        const place = `${member.folder}/${path}`;
        if (name === member.name)
          report(place, "imports its own package by name; use a relative path");
        else if (name === "testkit") report(place, "imports the test kit; only tests may");
        else if (member.kind !== "app" && !isAllowed(member, name)) {
          report(place, `${LAYERS[member.name]} must not import ${SCOPE}${name}`);
        }
      }
    }
  }
};

/** No cycle among the members; the test kit uses nothing that is tested with it. */
const dependenciesFormNoCycle: Rule = ({ members }, report) => {
  const edges = new Map(members.map((member) => [member.name, internalDependencies(member)]));
  for (const cycle of cyclesIn(edges)) report("packages", `dependency cycle ${cycle.join(" → ")}`);
};

/** Folders of `src/` form a directed graph without cycles; a file directly in `src/` is its own node. */
const foldersFormNoCycle: Rule = ({ members }, report) => {
  for (const { folder, source } of members) {
    const edges = new Map<string, readonly string[]>();
    for (const { path, imports } of source) {
      const from = nodeOf(path);
      const targets = imports
        .filter((specifier) => specifier.startsWith("."))
        .map((to) => nodeOf(resolve(path, to)));
      edges.set(from, [...(edges.get(from) ?? []), ...targets.filter((to) => to !== from)]);
    }
    for (const cycle of cyclesIn(edges))
      report(`${folder}/src`, `cycle between folders ${cycle.join(" → ")}`);
  }
};

/** The rules of this file. */
export const LAYER_RULES: readonly Rule[] = [
  tagMatchesLayer,
  dependenciesStayInLayer,
  importsStayInLayer,
  appsUseOneModulePerCommand,
  dependenciesFormNoCycle,
  foldersFormNoCycle,
];

function isAllowed(member: Member, name: string): boolean {
  const [from, to] = [LAYERS[member.name], LAYERS[name]];
  return from !== undefined && to !== undefined && ALLOWED[from].includes(to);
}

function internalDependencies({ manifest }: Workspace["members"][number]): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = manifest;
  return internalImports(
    Object.keys({
      ...dependencies,
      ...optionalDependencies,
      ...peerDependencies,
      ...devDependencies,
    }),
  );
}

function internalImports(specifiers: readonly string[]): readonly string[] {
  return specifiers
    .map((specifier) => packageOf(specifier))
    .filter((name) => name !== undefined)
    .filter((name) => name.startsWith(SCOPE))
    .map((name) => name.slice(SCOPE.length));
}

/** `src/network/dial.ts` is of the node `network`, `src/limits.ts` is `limits.ts`. */
function nodeOf(path: string): string {
  return path.split("/")[1] ?? path;
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** Cycles found by a depth-first walk, each once, as the path that closes. */
function cyclesIn(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) cycles.push([...path.slice(at), node]);
    if (at >= 0 || done.has(node)) return;
    for (const next of new Set(edges.get(node))) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return cycles;
}
