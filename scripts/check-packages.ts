/**
 * @module What npm would publish, checked before anyone installs it: each public package is packed,
 * its files listed, and the tarball given to publint (entry points) and attw (types, ESM only).
 *
 *   npm run check:package [-- PACKAGE...]
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { publint } from "publint";
import { formatMessage } from "publint/utils";

import { publishedPackages, ROOT, type PublishedPackage } from "./published.ts";

const run = promisify(execFile);
/** The packages are ESM only: how CommonJS would resolve them does not matter. */
const IGNORED_RESOLUTIONS = new Set(["node10", "node16-cjs"]);
const MAX_OUTPUT_BYTES = 16_000_000;

interface Tarball {
  readonly file: string;
  readonly paths: readonly string[];
}

const only = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "glovebox-pack-"));
const problems: string[] = [];
let checked = 0;
try {
  for (const each of publishedPackages(ROOT)) {
    if (only.length > 0 && !only.includes(each.name)) continue;
    const tarball = await pack(each, folder);
    const found = [
      ...checkFiles(each, tarball),
      ...(await checkEntryPoints(tarball)),
      ...(await checkTypes(tarball)),
    ];
    problems.push(...found.map((problem) => `${each.name}: ${problem}`));
    checked += 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
console.log(`packages: ${checked} checked, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function pack({ folder: from }: PublishedPackage, to: string): Promise<Tarball> {
  const { stdout } = await run(
    "npm",
    ["pack", "--json", "--loglevel=error", "--pack-destination", to],
    {
      cwd: from,
      maxBuffer: MAX_OUTPUT_BYTES,
    },
  );
  // npm up to 11 prints an array, newer ones an object by package name.
  const printed = JSON.parse(stdout) as
    | readonly PackResult[]
    | Readonly<Record<string, PackResult>>;
  const [result] = Object.values(printed);
  if (result === undefined) throw new Error(`npm pack printed no result for ${from}`);
  return { file: join(to, result.filename), paths: result.files.map(({ path }) => path) };
}

interface PackResult {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Code, declarations and source ship; tests and reports do not. */
function checkFiles({ doors }: PublishedPackage, { paths }: Tarball): readonly string[] {
  const expected = doors.flatMap(({ path }) => [
    `dist/${path}.js`,
    `dist/${path}.d.ts`,
    `src/${path}.ts`,
  ]);
  return [
    ...["README.md", ...expected]
      .filter((path) => !paths.includes(path))
      .map((path) => `does not ship ${path}`),
    ...paths
      .filter((path) => /^(?:test|etc|bench)\/|\.test\./.test(path))
      .map((path) => `ships ${path}`),
  ];
}

async function checkEntryPoints({ file }: Tarball): Promise<readonly string[]> {
  const bytes = await readFile(file);
  const tarball = new Uint8Array(bytes).buffer;
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  return messages
    .filter(({ type }) => type !== "suggestion")
    .map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`);
}

async function checkTypes({ file }: Tarball): Promise<readonly string[]> {
  const options = ["--profile", "esm-only", "--no-definitely-typed", "--format", "json"];
  // Into a file: attw exits before a pipe has taken all of its output.
  const report = await open(`${file}.json`, "w");
  try {
    const { status, stderr } = spawnSync("attw", [...options, file], {
      stdio: ["ignore", report.fd, "pipe"],
    });
    if (status === 0) return [];
    const text = await readFile(`${file}.json`, "utf8");
    return text.startsWith("{") ? typeProblemsIn(text) : [`attw: ${String(stderr).trim()}`];
  } finally {
    await report.close();
  }
}

function typeProblemsIn(report: string): readonly string[] {
  const { problems: byKind = {} } = JSON.parse(report) as {
    problems?: Readonly<Record<string, readonly TypeProblem[]>>;
  };
  return Object.entries(byKind).flatMap(([kind, found]) =>
    found
      .filter(({ resolutionKind = "" }) => !IGNORED_RESOLUTIONS.has(resolutionKind))
      .map(({ entrypoint = "" }) => `attw: ${kind} ${entrypoint}`),
  );
}

interface TypeProblem {
  readonly entrypoint?: string;
  readonly resolutionKind?: string;
}
