/**
 * @module `glovebox inspect <dir|wasm>`: what a package or a module consists of, and everything that
 * is wrong with it in one go, without running or compiling any of it.
 */
import { basename } from "node:path";

import { encodeTerminal } from "@glovebox/core/encode";

import { usageError } from "../errors.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";
import { linesOfRequest } from "./inspect-capabilities.ts";
import { type FoundProblem, inspectManifest, type PluginManifest } from "./inspect-manifest.ts";
import { inspectBytes, type InspectedModule, linesOfModule } from "./inspect-module.ts";
import { openSource } from "./plugin-source.ts";
import { toSarif } from "./sarif.ts";

/** Options of the command. */
export interface InspectOptions {
  readonly json?: boolean;
  readonly sarif?: boolean;
}

interface Inspection {
  readonly kind: "module" | "package";
  readonly path: string;
  readonly manifest?: PluginManifest | null;
  readonly files?: readonly {
    readonly path: string;
    readonly size: number;
    readonly sha256: string;
  }[];
  readonly modules: readonly ({ readonly path: string } & InspectedModule)[];
  readonly problems: readonly FoundProblem[];
}

/** Runs the command. */
export async function inspect(
  path: string,
  { json = false, sarif = false }: InspectOptions,
  terminal: Terminal,
): Promise<number> {
  if (json && sarif) throw usageError("--json and --sarif exclude each other");
  const inspection = await inspectSource(path);
  const { modules, problems } = inspection;
  if (json) await terminal.out(`${JSON.stringify(inspection, null, 2)}\n`);
  else if (sarif)
    await terminal.out(
      `${JSON.stringify(toSarif([...problems, ...findingsOf(modules)]), null, 2)}\n`,
    );
  else await terminal.out(`${[...linesOf(inspection)].map(encodeTerminal).join("\n")}\n`);
  const first = problems.find(({ level }) => level === "error");
  return first === undefined ? EXIT.ok : fail(terminal, first);
}

async function inspectSource(path: string): Promise<Inspection> {
  const source = await openSource(path);
  if (source.kind === "module") {
    const name = basename(path);
    const module = { path: name, ...inspectBytes(source.bytes) };
    return { kind: "module", path, modules: [module], problems: defectsOf([module]) };
  }
  const { files, digests } = source.package;
  const { manifest, problems } = inspectManifest(files);
  const missing: FoundProblem[] = [];
  const modules = (manifest?.modules ?? []).flatMap(({ path: file }) => {
    const bytes = files.get(file);
    if (bytes !== undefined) return [{ path: file, ...inspectBytes(bytes) }];
    const message = `the module ${file} is not in the package`;
    missing.push({ code: "RUNTIME_PACKAGE_FILE_MISSING", message, level: "error", file });
    return [];
  });
  return {
    kind: "package",
    path,
    manifest,
    files: [...files].map(([file, bytes]) => ({
      path: file,
      size: bytes.length,
      sha256: digests.get(file) ?? "",
    })),
    modules,
    problems: [...problems, ...missing, ...defectsOf(modules)],
  };
}

/** What stopped the reading of modules. */
function defectsOf(modules: Inspection["modules"]): readonly FoundProblem[] {
  return modules.flatMap(({ path, defect }) =>
    defect === undefined ? [] : [found("error", path, defect.code, defect.reason, defect.offset)],
  );
}

/** What a person should look at in modules; none of it is a problem of the module. */
function findingsOf(modules: Inspection["modules"]): readonly FoundProblem[] {
  return modules.flatMap(({ path, findings }) =>
    findings.map(({ level, rule, message, offset }) => found(level, path, rule, message, offset)),
  );
}

function found(
  level: FoundProblem["level"],
  file: string,
  code: string,
  reason: string,
  byteOffset: number | undefined,
): FoundProblem {
  const place = byteOffset === undefined ? {} : { byteOffset };
  return { code, message: `${file}: ${reason}`, level, file, ...place };
}

function* linesOf({ manifest, files = [], modules, problems }: Inspection): Generator<string> {
  if (manifest !== undefined && manifest !== null) {
    yield `plugin ${manifest.id} ${manifest.version}`;
    yield* linesOfRequest(manifest.capabilities);
  }
  for (const { path, size, sha256 } of files) yield `file ${path}: ${size} bytes, sha256 ${sha256}`;
  for (const module of modules) {
    const { path, size, sha256, abi, version } = module;
    yield `module ${path}: ${size} bytes, version ${version ?? "unknown"}, ABI ${abi}, sha256 ${sha256}`;
    for (const line of linesOfModule(module)) yield `  ${line}`;
  }
  for (const { level, code, message } of [...problems, ...findingsOf(modules)]) {
    yield `${level} ${code}: ${message}`;
  }
  if (problems.length === 0) yield "no problems";
}
