/**
 * @module Puts a suite of cases to the test, on its own file or on one that is given:
 *
 *   npm run -s cases -- SUITE [FILE]
 *
 * Prints each miss and each skip with its id and reason, then the counts. Exits 1 when a case
 * failed, 2 on wrong usage or a file that cannot be read. Runs from source, so nothing is built.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { sanitizeForMessage, SecurityError } from "@glovebox/core/errors";
import { type CaseFile, type CaseJudge, readCaseFile, runCaseFile } from "@glovebox/testkit/cases";

interface Suite {
  /** The case file when none is given, from the root of the repository. */
  readonly file: string;
  /** Print a row for each case, and not only for those that did not pass. */
  readonly hasTable?: boolean;
  open(): Promise<AsyncDisposable & { readonly judge: CaseJudge }>;
}

const SUITES: Readonly<Record<string, Suite>> = {
  network: {
    file: "packages/capability-broker/test/cases/network.json",
    open: async () =>
      (await import("../packages/capability-broker/test/judges/network.ts")).openNetworkJudge(),
  },
  filesystem: {
    file: "packages/capability-broker/test/cases/filesystem.json",
    open: async () =>
      (
        await import("../packages/capability-broker/test/judges/filesystem.ts")
      ).openFilesystemJudge(),
  },
  sandbox: {
    file: "packages/sandbox/test/cases/sandbox.json",
    hasTable: true,
    open: async () =>
      (await import("../packages/sandbox/test/judges/sandbox.ts")).openSandboxJudge(),
  },
};

/** Runs what the arguments ask for and resolves to the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name = "", given, ...more] = positionalsOf(args) ?? [];
  const suite = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined;
  if (suite === undefined || more.length > 0) {
    process.stderr.write(
      `usage: npm run -s cases -- SUITE [FILE], SUITE one of ${Object.keys(SUITES).join(", ")}\n`,
    );
    return 2;
  }
  // npm starts scripts in the root; a relative FILE means the folder that its user stands in.
  const path =
    given === undefined
      ? join(import.meta.dirname, "..", suite.file)
      : resolve(process.env["INIT_CWD"] ?? process.cwd(), given);
  let file: CaseFile;
  try {
    file = await readCaseFile(path);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return 2;
  }
  await using opened = await suite.open();
  const write = (text: string): void => void process.stdout.write(text);
  const judge = suite.hasTable === true ? withTable(opened.judge, write) : opened.judge;
  const report = await runCaseFile(file, judge, { write });
  return report.failed.length > 0 ? 1 : 0;
}

/** Prints what was expected of each case and what was seen. */
function withTable(judge: CaseJudge, write: (text: string) => void): CaseJudge {
  const row = (...cells: readonly string[]): string =>
    `${cells
      .map((cell) => cell.padEnd(28))
      .join("")
      .trimEnd()}\n`;
  let isFirst = true;
  return async (testCase, context) => {
    const verdict = await judge(testCase, context);
    if (isFirst) write(row("case", "expected", "seen"));
    isFirst = false;
    const seen = verdict.kind === "verdict" ? verdict.verdict : verdict.kind;
    write(row(testCase.id, testCase.expected ?? "", sanitizeForMessage(seen)));
    return verdict;
  };
}

function positionalsOf(args: readonly string[]): readonly string[] | undefined {
  try {
    return parseArgs({ args: [...args], allowPositionals: true }).positionals;
  } catch {
    return undefined;
  }
}

function describe(error: unknown): string {
  if (error instanceof SecurityError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

// Not `exitCode`: a case that never ended may hold a socket that keeps the process alive.
process.exit(await main(process.argv.slice(2)));
