import { expect, it } from "vitest";

import { recyclePolicy, recycleReason } from "../../src/host/recycle-policy.ts";
import {
  DEFAULT_RUNNER_LIMITS,
  MAX_CALL_CPU_MS,
  RUNNER_LIFE_CPU_SECONDS,
} from "../../src/limits.ts";

const POLICY = { calls: 100, residentBytes: 1_000, cpuMs: 50 };
const FRESH = { calls: 99, residentBytes: 999, cpuMs: 49 };

it.each([
  ["nothing was reached", FRESH, undefined, undefined],
  ["the calls are used up", { ...FRESH, calls: 100 }, undefined, "calls"],
  ["memory is at its mark", { ...FRESH, residentBytes: 1_000 }, undefined, "memory"],
  ["its life's CPU time is near its end", { ...FRESH, cpuMs: 50 }, undefined, "cpu"],
  ["it met its memory limit", FRESH, "SANDBOX_MEMORY_LIMIT", "violation"],
  ["it answered a range that is not its own", FRESH, "SANDBOX_OUTPUT_RANGE", "violation"],
  ["it trapped, which its input may have made it do", FRESH, "SANDBOX_TRAP", undefined],
  ["it reported an error", FRESH, "SANDBOX_PLUGIN_ERROR", undefined],
])("decides when %s", (_name, use, failure, expected) => {
  expect(recycleReason(POLICY, use, failure)).toBe(expected);
});

it("stays below what the process may map, whatever the limits are", () => {
  const { memoryBytes, inputBytes, outputBytes } = DEFAULT_RUNNER_LIMITS;
  const { residentBytes } = recyclePolicy(DEFAULT_RUNNER_LIMITS);
  expect(residentBytes).toBeGreaterThan(memoryBytes + inputBytes + outputBytes);
  expect(recyclePolicy(DEFAULT_RUNNER_LIMITS, { calls: 5 })).toMatchObject({
    calls: 5,
    residentBytes,
  });
});

it("leaves each call its CPU time before the kernel's timer, and a margin for what the host does not count", () => {
  const lifeMs = RUNNER_LIFE_CPU_SECONDS * 1_000;
  const { cpuMs } = recyclePolicy(DEFAULT_RUNNER_LIMITS);
  expect(cpuMs).toBe(0.8 * lifeMs);
  expect(cpuMs + MAX_CALL_CPU_MS).toBeLessThan(lifeMs);
});
