/**
 * @module The closing line of a test run, `tests: N passed, N failed, N skipped`, as a vitest
 * reporter. The counts also go, one JSON object per line, to the file that `GLOVEBOX_TEST_COUNTS`
 * names, where `.ci/run` adds up several runs.
 */
import { appendFileSync, readFileSync } from "node:fs";

import type { Reporter } from "vitest/node";

/** How many tests of a run ended in which way. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What the summary needs to know of a test file. */
export interface CountedModule {
  readonly children: { allTests(): Iterable<{ result(): { readonly state: string } }> };
  errors(): readonly unknown[];
}

/**
 * Counts the tests of a run. A file that does not load and an error outside of every test count as
 * one failed test each, so that a run which proves nothing never looks green.
 */
export function countTests(
  modules: readonly CountedModule[],
  strayErrors: readonly unknown[],
): TestCounts {
  const counts = { passed: 0, failed: strayErrors.length, skipped: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") counts.passed += 1;
      else if (state === "skipped") counts.skipped += 1;
      else counts.failed += 1;
    }
  }
  return counts;
}

/** The line that people and CI read. */
export function summaryLine({ passed, failed, skipped }: TestCounts): string {
  return `tests: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Adds up the counts in the lines of a file that several runs appended to. */
export function addCounts(lines: string): TestCounts {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const line of lines.split("\n").filter((each) => each !== "")) {
    const counts = JSON.parse(line) as TestCounts;
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

/** Prints the line when a run has ended. */
export default class TestSummary implements Reporter {
  readonly onTestRunEnd = (
    modules: readonly CountedModule[],
    strayErrors: readonly unknown[],
  ): void => {
    const counts = countTests(modules, strayErrors);
    const file = process.env["GLOVEBOX_TEST_COUNTS"];
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(counts)}\n`);
    process.stdout.write(`${summaryLine(counts)}\n`);
  };
}

/** `node scripts/test-summary.ts FILE` prints the sum of the runs in FILE. */
if (import.meta.main) {
  process.stdout.write(`${summaryLine(addCounts(readFileSync(process.argv[2] ?? "", "utf8")))}\n`);
}
