/**
 * The cases of test/cases/sandbox.json, one test each: system calls in the locked process, and what
 * plugins do to peers. `npm run -s cases -- sandbox` runs the same with a million calls.
 */
import { readFileSync } from "node:fs";

import { callScope } from "@glovebox/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { openSandboxJudge } from "../judges/sandbox.ts";

const FILE = JSON.parse(
  readFileSync(new URL("../cases/sandbox.json", import.meta.url), "utf8"),
) as {
  meta: Record<string, string>;
  cases: { id: string; kind: string; expected: string }[];
};
/** More than the 16,383 at which a peer died, and than the 32,768 blocks of its handles. */
const CALLS = 40_000;

let opened: Awaited<ReturnType<typeof openSandboxJudge>>;
beforeAll(async () => {
  opened = await openSandboxJudge({ calls: CALLS });
});
afterAll(() => opened[Symbol.asyncDispose]());

it.for(FILE.cases)("$id ends with $expected", async (testCase, { skip }) => {
  const context = { file: { ...FILE, policies: {} }, signal: callScope().signal };
  const judged = await opened.judge(testCase, context);
  if (judged.kind === "skip") skip(judged.reason);
  const expected = testCase.id === "million-calls" ? String(CALLS) : testCase.expected;
  expect(judged).toEqual({ kind: "verdict", verdict: expected });
});

it("holds the 59 calls, of which seven fail and the others end the process", () => {
  const calls = FILE.cases.filter(({ kind }) => kind === "system-call");
  expect(calls).toHaveLength(59);
  expect(calls.filter(({ expected }) => expected === "EPERM")).toHaveLength(7);
});
