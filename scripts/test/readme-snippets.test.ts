/**
 * @module Every TypeScript block of a README compiles and runs. Each becomes a file inside its
 * package, where it finds what a reader's file finds: the packages by their names.
 */
import { execFile, type ExecFileException } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { ROOT } from "../published.ts";

/** One block, and the file that it becomes. */
interface Snippet {
  /** Package and number, such as `limiter 2`. */
  readonly name: string;
  readonly folder: string;
  /** Relative to the root. */
  readonly file: string;
  readonly code: string;
}

/** How a block's process ended. */
interface End {
  readonly exitCode: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

const run = promisify(execFile);
const BLOCK = /^```ts\n([\s\S]*?)^```$/gm;
/** A folder that git, the linters and the rules of this repository do not look into. */
const CACHE = ".cache/readme-snippets";
/** Far more than all of them take together, milliseconds. */
const ALL_MS = 120_000;
/** One block may wait for the processes that it starts, milliseconds. */
const ONE_MS = 30_000;
const RUN_FLAGS = ["--conditions=@glovebox/source", "--experimental-strip-types", "--no-warnings"];

const snippets = await readSnippets();
const ends = new Map<Snippet, End>();
let diagnostics: readonly string[] = [];

// Before the tests and not in them: several at once, as starting a process is most of the work.
beforeAll(async () => {
  for (const { file, code } of snippets) {
    await mkdir(dirname(join(ROOT, file)), { recursive: true });
    await writeFile(join(ROOT, file), code);
  }
  diagnostics = await compile(snippets.map(({ file }) => file));
  const left = snippets.values();
  const work = async (): Promise<void> => {
    for (const snippet of left) ends.set(snippet, await runSnippet(snippet));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}, ALL_MS);

afterAll(async () => {
  for (const folder of new Set([ROOT, ...snippets.map((snippet) => snippet.folder)])) {
    await rm(join(folder, CACHE), { recursive: true, force: true });
  }
});

test.each(snippets)("$name compiles, runs and says nothing", (snippet) => {
  expect(diagnostics.filter((line) => line.startsWith(snippet.file))).toEqual([]);
  // READMEs state results as assertions, so that a reader sees them and a machine checks them.
  expect(ends.get(snippet)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("nothing else is wrong with what the blocks import", () => {
  const files = snippets.map(({ file }) => file);
  expect(diagnostics.filter((line) => !files.some((file) => line.startsWith(file)))).toEqual([]);
});

async function readSnippets(): Promise<readonly Snippet[]> {
  const readmes = [
    "README.md",
    ...globSync("{packages,apps}/*/README.md", { cwd: ROOT }).toSorted(),
  ];
  const found: Snippet[] = [];
  for (const readme of readmes.filter((path) => existsSync(join(ROOT, path)))) {
    const folder = join(ROOT, dirname(readme));
    const text = await readFile(join(ROOT, readme), "utf8");
    for (const [at, [, code = ""]] of [...text.matchAll(BLOCK)].entries()) {
      const number = at + 1;
      const name = `${dirname(readme) === "." ? "README" : dirname(readme).split("/")[1]} ${number}`;
      const file = relative(ROOT, join(folder, CACHE, `${number}.ts`));
      found.push({ name, folder, file, code });
    }
  }
  return found;
}

async function runSnippet({ file, folder }: Snippet): Promise<End> {
  try {
    const program = join(ROOT, file);
    const options = { cwd: folder, timeout: ONE_MS };
    return { exitCode: 0, ...(await run(process.execPath, [...RUN_FLAGS, program], options)) };
  } catch (error) {
    const { code, signal, stdout, stderr } = error as ExecFileException;
    return { exitCode: code ?? signal, stdout: String(stdout), stderr: String(stderr) };
  }
}

/** Compiles all blocks at once; answers what the compiler has to say. */
async function compile(files: readonly string[]): Promise<readonly string[]> {
  const folder = join(ROOT, CACHE);
  const config = join(folder, "tsconfig.json");
  await mkdir(folder, { recursive: true });
  const up = (path: string): string => relative(folder, join(ROOT, path));
  await writeFile(
    config,
    JSON.stringify({
      extends: up("tsconfig.json"),
      files: files.map(up),
      include: [up("packages/*/src/**/*.d.ts")],
    }),
  );
  try {
    await run("tsc", ["--noEmit", "--pretty", "false", "-p", config], { cwd: ROOT });
    return [];
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    return stdout?.trim().split("\n") ?? [String(error)];
  }
}
