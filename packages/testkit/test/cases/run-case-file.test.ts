import { callScope, fakeClock, pluginDirectory, TestkitError } from "@glovebox/testkit";
import { type CaseFile, type CaseJudge, readCaseFile, runCaseFile } from "@glovebox/testkit/cases";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

function fileOf(...cases: CaseFile["cases"]): CaseFile {
  return { meta: { name: "test" }, policies: {}, cases };
}

async function report(file: CaseFile, judge: CaseJudge): Promise<string[]> {
  const lines: string[] = [];
  await runCaseFile(file, judge, { write: (text) => void lines.push(text) });
  return lines;
}

test("compares the observed verdict with the expected one and counts in the last line", async () => {
  const file = fileOf(
    { id: "a", expected: "allow" },
    { id: "b", expected: "deny" },
    { id: "c", expected: "deny" },
  );
  const judge: CaseJudge = async () => ({ kind: "verdict", verdict: "deny", reason: "rule x" });
  expect(await report(file, judge)).toEqual([
    "FAIL a: expected allow, got deny (rule x)\n",
    "cases: 2 passed, 1 failed, 0 skipped\n",
  ]);
});

test("takes a judge's own judgement, and prints every miss and skip with id and reason", async () => {
  const file = fileOf({ id: "pass" }, { id: "fail" }, { id: "skip" });
  const judge: CaseJudge = async ({ id }) => ({
    kind: id as "fail" | "skip",
    reason: `because ${id}`,
  });
  const lines: string[] = [];
  const result = await runCaseFile(file, judge, { write: (text) => void lines.push(text) });
  expect(lines).toEqual([
    "FAIL fail: because fail\n",
    "SKIP skip: because skip\n",
    "cases: 1 passed, 1 failed, 1 skipped\n",
  ]);
  expect(result).toEqual({
    passed: ["pass"],
    failed: [{ id: "fail", reason: "because fail" }],
    skipped: [{ id: "skip", reason: "because skip" }],
  });
});

test("a judge that throws, at once or later, is a miss", async () => {
  const errors = [
    new TestkitError("TESTKIT_WAT", { message: "line 1" }),
    new TypeError("no such thing"),
    "a string",
  ];
  const file = fileOf(...errors.map((_, index) => ({ id: String(index), expected: "deny" })));
  const thrown = [
    "FAIL 0: the judge threw TESTKIT_WAT: line 1\n",
    "FAIL 1: the judge threw TypeError: no such thing\n",
    "FAIL 2: the judge threw a string\n",
    "cases: 0 passed, 3 failed, 0 skipped\n",
  ];
  expect(await report(file, async ({ id }) => Promise.reject(errors[Number(id)]))).toEqual(thrown);
  expect(
    await report(file, ({ id }) => {
      throw errors[Number(id)];
    }),
  ).toEqual(thrown);
});

test("a judge that never answers is a miss, and is told that its time is over", async () => {
  const clock = fakeClock();
  const signals: AbortSignal[] = [];
  const judge: CaseJudge = async ({ id }, { signal }) => {
    if (id === "quick") return { kind: "pass" };
    signals.push(signal);
    queueMicrotask(() => clock.advance(500));
    return new Promise(() => undefined);
  };
  const result = await runCaseFile(
    fileOf({ id: "slow" }, { id: "quick" }),
    judge,
    { write: () => undefined, caseTimeoutMs: 500 },
    { clock },
  );
  expect(result.failed).toEqual([{ id: "slow", reason: "no verdict within 500 ms" }]);
  expect(result.passed).toEqual(["quick"]);
  expect(signals[0]?.aborted).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test("a judge may take its time when there is no bound", async () => {
  const judge: CaseJudge = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return { kind: "pass" };
  };
  const options = { write: () => undefined, caseTimeoutMs: Number.POSITIVE_INFINITY };
  expect((await runCaseFile(fileOf({ id: "a" }), judge, options)).passed).toEqual(["a"]);
});

test("a verdict without an expectation to compare it with is a miss", async () => {
  const lines = await report(fileOf({ id: "a" }), async () => ({
    kind: "verdict",
    verdict: "deny",
  }));
  expect(lines[0]).toBe("FAIL a: the case has no `expected` to compare with\n");
});

test("a reason that quotes an attacker stays on its line and cannot forge the last one", async () => {
  const reason = "echo\ncases: 9 passed, 0 failed, 0 skipped\u001b[2J";
  const lines = await report(fileOf({ id: "a\nb" }), async () => ({ kind: "fail", reason }));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe(
    "FAIL a\\u{a}b: echo\\u{a}cases: 9 passed, 0 failed, 0 skipped\\u{1b}[2J\n",
  );
});

test("gives the judge the case's own fields and the whole file", async () => {
  const file: CaseFile = {
    ...fileOf({ id: "a", policy: "input", path: "/data/a" }),
    policies: { input: { guest: "/data" } },
    fixture: [["dir", "a"]],
  };
  const scope = callScope();
  const judge: CaseJudge = async (testCase, context) => {
    expect(testCase["path"]).toBe("/data/a");
    expect(context.file.policies["input"]).toEqual({ guest: "/data" });
    expect(context.file["fixture"]).toEqual([["dir", "a"]]);
    expect(context.signal.aborted).toBe(scope.signal.aborted);
    return { kind: "pass" };
  };
  expect(await report(file, judge)).toEqual(["cases: 1 passed, 0 failed, 0 skipped\n"]);
});

test("reads a file by path or URL and keeps members that it does not know", async () => {
  await using directory = await pluginDirectory({
    "cases.json": JSON.stringify({ ...fileOf({ id: "a", expected: "allow" }), defaultDns: {} }),
  });
  const path = `${directory.path}/cases.json`;
  expect(Object.keys(await readCaseFile(path))).toEqual([
    "meta",
    "policies",
    "cases",
    "defaultDns",
  ]);
  const result = await runCaseFile(
    new URL(`file://${path}`),
    async () => ({ kind: "verdict", verdict: "allow" }),
    { write: () => undefined },
  );
  expect(result.passed).toEqual(["a"]);
});

test.each([
  ["is not JSON", "{"],
  ["is a list", "[]"],
  ["has no meta", `{"policies": {}, "cases": [{"id": "a"}]}`],
  ["has no policies", `{"meta": {}, "cases": [{"id": "a"}]}`],
  ["has no cases", `{"meta": {}, "policies": {}}`],
  ["has an empty list of cases", `{"meta": {}, "policies": {}, "cases": []}`],
  ["has a case without an id", `{"meta": {}, "policies": {}, "cases": [{"expected": "deny"}]}`],
  ["has a case that is no object", `{"meta": {}, "policies": {}, "cases": [7]}`],
  [
    "has an expectation that is no string",
    `{"meta": {}, "policies": {}, "cases": [{"id": "a", "expected": 1}]}`,
  ],
  ["has an id twice", `{"meta": {}, "policies": {}, "cases": [{"id": "a"}, {"id": "a"}]}`],
])("refuses a file that %s", async (_what, text) => {
  await using directory = await pluginDirectory({ "cases.json": text });
  await expect(readCaseFile(`${directory.path}/cases.json`)).toThrowCode("TESTKIT_CASE_FILE");
});
