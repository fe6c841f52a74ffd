/**
 * @module Runs a directory of WebAssembly spec-suite scripts in four modes:
 *
 *   npm run -s spec -- DIR [--json]
 *
 * DIR is searched for `*.wast` files at every depth. A command that the plain engine itself fails or
 * the assembler cannot read is skipped and listed, each failure is listed with its mode, and one line
 * for each mode ends the output. Exits 1 when a command failed, 2 on wrong usage. Runs from source,
 * so nothing is built.
 */
import { globSync } from "node:fs";
import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { sanitizeForMessage } from "@glovebox/core/errors";

import { MODES, type Mode } from "./spec/modes.ts";
import { runScripts, type ScriptReport } from "./spec/run-scripts.ts";

const DEADLINE_MS = 120_000;
const MAX_PROCESSES = 4;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

async function main(args: readonly string[]): Promise<number> {
  const given = argumentsOf(args);
  const directory = given && resolve(process.env["INIT_CWD"] ?? process.cwd(), given.directory);
  const isDirectory = directory && (await stat(directory).catch(() => undefined))?.isDirectory();
  const names =
    directory && isDirectory === true ? globSync("**/*.wast", { cwd: directory }).sort() : [];
  if (given === undefined || directory === undefined || names.length === 0) {
    process.stderr.write(
      "usage: npm run -s spec -- DIR [--json], DIR a directory with *.wast files\n",
    );
    return 2;
  }
  const reports = new Map<string, ScriptReport>();
  const processes = Math.min(MAX_PROCESSES, availableParallelism(), names.length);
  const files = new Map(names.map((name) => [join(directory, name), name]));
  await runScripts([...files.keys()], { processes, deadlineMs: DEADLINE_MS }, (report) => {
    const name = files.get(report.file) ?? report.file;
    reports.set(name, { ...report, file: name });
  });
  const inOrder = names.flatMap((name) => reports.get(name) ?? []);
  const counts = Object.fromEntries(MODES.map((mode) => [mode, countsOf(mode, inOrder)])) as Record<
    Mode,
    Counts
  >;
  if (given.json)
    process.stdout.write(`${JSON.stringify({ ...counts, scripts: inOrder }, null, 2)}\n`);
  else print(inOrder, counts);
  return MODES.some((mode) => counts[mode].failed > 0) ? 1 : 0;
}

function countsOf(mode: Mode, reports: readonly ScriptReport[]): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { modes, skipped } of reports) {
    counts.passed += modes[mode].passed;
    counts.failed += modes[mode].failed.length;
    counts.skipped += skipped.length;
  }
  return counts;
}

function print(reports: readonly ScriptReport[], counts: Readonly<Record<Mode, Counts>>): void {
  const line = (text: string): void => void process.stdout.write(`${text}\n`);
  for (const { file, skipped, modes } of reports) {
    for (const { line: at, reason } of skipped)
      line(`skipped ${file}:${at}: ${sanitizeForMessage(reason)}`);
    for (const mode of MODES) {
      for (const note of modes[mode].notes)
        line(
          `note ${file}: by its policy the ${mode} refuses a module: ${sanitizeForMessage(note)}`,
        );
      for (const { line: at, reason } of modes[mode].failed)
        line(`failed ${mode} ${file}:${at}: ${sanitizeForMessage(reason)}`);
    }
  }
  for (const mode of MODES) {
    const { passed, failed, skipped } = counts[mode];
    line(`${mode}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
}

function argumentsOf(
  args: readonly string[],
): { readonly directory: string; readonly json: boolean } | undefined {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: "boolean", default: false } },
    });
    const [directory, ...more] = positionals;
    return directory === undefined || more.length > 0 ? undefined : { directory, ...values };
  } catch {
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
