import { expect, test } from "vitest";

import {
  addCounts,
  countTests,
  flakyLines,
  summaryLine,
  type CountedModule,
  type CountedTest,
} from "../test-summary.ts";

function ended(state: string, fullName = "a test", flaky = false): CountedTest {
  return { fullName, result: () => ({ state }), diagnostic: () => ({ flaky }) };
}

function module(states: readonly string[], errors: readonly unknown[] = []): CountedModule {
  return {
    moduleId: "/packages/a/test/a.test.ts",
    children: { allTests: () => states.map((state) => ended(state)) },
    errors: () => errors,
  };
}

test("counts passed, failed and skipped tests over all files", () => {
  const counts = countTests([module(["passed", "failed"]), module(["skipped", "passed"])], []);
  expect(summaryLine(counts)).toBe("tests: 2 passed, 1 failed, 1 skipped");
});

test("counts a test that never ran to its end as failed", () => {
  expect(countTests([module(["pending"])], [])).toMatchObject({ failed: 1 });
});

test("counts a file that does not load and a stray error as failed tests", () => {
  expect(
    countTests([module([], [new Error("broken import")])], [new Error("stray")]),
  ).toMatchObject({ failed: 2 });
});

test("names the tests that passed only when tried again", () => {
  const tests = [ended("passed", "always"), ended("passed", "mostly", true)];
  const modules = [{ ...module([]), children: { allTests: () => tests } }];
  expect(flakyLines(modules)).toEqual(["passed only when tried again: mostly"]);
  expect(countTests(modules, [])).toEqual({ passed: 2, failed: 0, skipped: 0 });
});

test("counts an attack that was held off only when tried again as failed", () => {
  const tests = [ended("passed", "always"), ended("passed", "mostly", true)];
  const moduleId = "/packages/a/test/attacks/a.test.ts";
  const modules = [{ ...module([]), moduleId, children: { allTests: () => tests } }];
  expect(countTests(modules, [])).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("adds up several runs", () => {
  const lines = `{"passed":2,"failed":0,"skipped":1}\n{"passed":3,"failed":1,"skipped":0}\n`;
  expect(addCounts(lines)).toEqual({ passed: 5, failed: 1, skipped: 1 });
  expect(addCounts("")).toEqual({ passed: 0, failed: 0, skipped: 0 });
});
