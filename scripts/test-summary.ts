/**
 * @module The closing line of a test run, `tests: N passed, N failed, N skipped`, as a vitest
 * reporter, after the names of the tests that passed only when tried again. The counts also go, one JSON object per line, to the file that `GLOVEBOX_TEST_COUNTS`
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

/** What the summary needs to know of a test. */
export interface CountedTest {
  readonly fullName: string;
  result(): { readonly state: string };
  diagnostic(): { readonly flaky: boolean } | undefined;
}

/** What the summary needs to know of a test file. */
export interface CountedModule {
  /** Path of the file. */
  readonly moduleId: string;
  readonly children: { allTests(): Iterable<CountedTest> };
  errors(): readonly unknown[];
}

/**
 * Counts the tests of a run. A file that does not load and an error outside of every test count as
 * one failed test each, so that a run which proves nothing never looks green. An attack that was held
 * off only at the second try has succeeded once: it counts as failed.
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
      if (isFlaky(test) && module.moduleId.includes(ATTACKS)) counts.failed += 1;
      else if (state === "passed") counts.passed += 1;
      else if (state === "skipped") counts.skipped += 1;
      else counts.failed += 1;
    }
  }
  return counts;
}

/** The folder of tests that are each named for an attack. */
const ATTACKS = "/test/attacks/";

function isFlaky(test: CountedTest): boolean {
  return test.diagnostic()?.flaky === true;
}

/** A line for each test that failed and then passed: a defect of the test, or of what it tests. */
export function flakyLines(modules: readonly CountedModule[]): readonly string[] {
  return modules.flatMap((module) =>
    [...module.children.allTests()]
      .filter(isFlaky)
      .map((test) => `passed only when tried again: ${test.fullName}`),
  );
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
    const lines = [...flakyLines(modules), summaryLine(counts)];
    process.stdout.write(`${lines.join("\n")}\n`);
    // Also where the runner itself is content.
    if (counts.failed > 0) process.exitCode = 1;
  };
}

/** `node scripts/test-summary.ts FILE` prints the sum of the runs in FILE. */
if (import.meta.main) {
  process.stdout.write(`${summaryLine(addCounts(readFileSync(process.argv[2] ?? "", "utf8")))}\n`);
}
