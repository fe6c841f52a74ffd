/**
 * @module What the uniformity rules look at: every workspace as plain data (files, imports, doors,
 * build entries), read once. The rules are then pure functions, which the tests feed with a
 * workspace that they spoil.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

import { entriesOf } from "../../tsup.preset.ts";
import { importsOf } from "./imports.ts";

/** One text file, its path relative to its workspace (or to the root, in {@link Workspace.texts}). */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** A TypeScript file with what it imports. */
export interface SourceFile extends TextFile {
  /** Specifiers as written, in order. */
  readonly imports: readonly string[];
}

/** The keys of package.json that the rules read. */
export interface PackageManifest {
  readonly name: string;
  readonly description?: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly type?: string;
  readonly sideEffects?: unknown;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly imports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
  readonly publishConfig?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One folder under packages/ or apps/. */
export interface Member {
  /** Folder name, which is also the name after `@glovebox/`. */
  readonly name: string;
  /** `packages/core`, relative to the root. */
  readonly folder: string;
  readonly kind: "package" | "app";
  readonly manifest: PackageManifest;
  /** Tags in its turbo.json. */
  readonly tags: readonly string[];
  /** All files, relative to the folder. */
  readonly files: readonly string[];
  readonly source: readonly SourceFile[];
  readonly tests: readonly SourceFile[];
  readonly readme: string;
  /** What the build makes files of, as paths (`src/index.ts`). */
  readonly buildEntries: readonly string[];
  /** docs/errors/<name>.md, if there is one. */
  readonly errorPage: string | undefined;
}

/** The whole repository. */
export interface Workspace {
  readonly members: readonly Member[];
  /** Every text file of the repository that people read, paths relative to the root. */
  readonly texts: readonly TextFile[];
}

const SKIPPED_FOLDERS = new Set([
  "node_modules",
  "dist",
  "coverage",
  ".git",
  ".turbo",
  ".cache",
  "glovebox-data",
]);
const MAX_TEXT_BYTES = 1_000_000;
const TEXT_FILE =
  /\.(?:ts|mts|mjs|cjs|js|json|jsonc|md|yaml|yml|wat|html|css|txt|sh|as)$|\/run$|rc$/;

/** Reads the repository at `root`. */
export async function readWorkspace(root: string): Promise<Workspace> {
  const members: Member[] = [];
  for (const kind of ["package", "app"] as const) {
    for (const folder of subfolders(join(root, `${kind}s`))) {
      if (existsSync(join(folder, "package.json")))
        members.push(await readMember(root, folder, kind));
    }
  }
  return { members, texts: readTexts(root) };
}

async function readMember(root: string, folder: string, kind: Member["kind"]): Promise<Member> {
  const name = basename(folder);
  const files = filesUnder(folder).map((file) => relative(folder, file));
  const sources = (under: string): readonly SourceFile[] =>
    files
      .filter((path) => path.startsWith(`${under}/`) && path.endsWith(".ts"))
      .map((path) => sourceFile(path, readFileSync(join(folder, path), "utf8")));
  const manifest = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  ) as PackageManifest;
  return {
    name,
    folder: relative(root, folder),
    kind,
    manifest,
    tags: readTags(join(folder, "turbo.json")),
    files,
    source: sources("src"),
    tests: sources("test"),
    readme: readIfThere(join(folder, "README.md")) ?? "",
    buildEntries: await readBuildEntries(folder, manifest),
    errorPage: readIfThere(join(root, "docs/errors", `${name}.md`)),
  };
}

/** A source file from its text. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, imports: importsOf(text) };
}

function readTags(file: string): readonly string[] {
  const text = readIfThere(file);
  return text === undefined ? [] : ((JSON.parse(text) as { tags?: readonly string[] }).tags ?? []);
}

/** What is built: what the manifest names, unless the package has a configuration of its own. */
async function readBuildEntries(
  folder: string,
  manifest: PackageManifest,
): Promise<readonly string[]> {
  const file = join(folder, "tsup.config.ts");
  if (!existsSync(file)) return Object.values(entriesOf(manifest));
  const module = (await import(pathToFileURL(file).href)) as {
    default: BuildOptions | readonly BuildOptions[];
  };
  return [module.default].flat().flatMap(({ entry = [] }) => Object.values(entry));
}

interface BuildOptions {
  readonly entry?: readonly string[] | Readonly<Record<string, string>>;
}

function readTexts(root: string): readonly TextFile[] {
  return filesUnder(root)
    .filter((file) => TEXT_FILE.test(file) && statSync(file).size <= MAX_TEXT_BYTES)
    .map((file) => ({ path: relative(root, file), text: readFileSync(file, "utf8") }));
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !SKIPPED_FOLDERS.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : entry.isFile() ? [path] : [];
    })
    .toSorted();
}

function subfolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
    .toSorted();
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
