/** @module Judges the cases of test/cases/sandbox.json: system calls and the failures of peers. */
import type { CaseJudge } from "@glovebox/testkit/cases";

import { PEER_FAILURES, type PeerFailureOptions } from "./peer-failures.ts";
import { openSystemCallJudge } from "./system-calls.ts";

/** The whole of the list; a test makes fewer calls. */
const WHOLE: PeerFailureOptions = { calls: 1_000_000 };

/** Opens the judge of both kinds. */
export async function openSandboxJudge(
  options: PeerFailureOptions = WHOLE,
): Promise<AsyncDisposable & { readonly judge: CaseJudge }> {
  const systemCalls = await openSystemCallJudge();
  return {
    async judge(testCase) {
      if (testCase["kind"] === "system-call") return systemCalls.judge(testCase);
      const attack = Object.hasOwn(PEER_FAILURES, testCase.id) && PEER_FAILURES[testCase.id];
      if (!attack) return { kind: "fail", reason: "nothing here does this" };
      return { kind: "verdict", verdict: await attack(options) };
    },
    [Symbol.asyncDispose]: () => systemCalls[Symbol.asyncDispose](),
  };
}
