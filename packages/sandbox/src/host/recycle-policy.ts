/**
 * @module When a runner is replaced by a fresh one: after so many calls, when it holds too much
 * memory, before its life's CPU time is over, and after anything that an honest plugin does not do.
 * What a plugin leaks or prepares in its process thus has an end.
 */
import type { SandboxErrorCode } from "../errors.ts";
import {
  DEFAULT_RECYCLE_CALLS,
  RECYCLE_CPU_MS,
  RECYCLE_MEMORY_SHARE,
  RUNNER_OVERHEAD_BYTES,
} from "../limits.ts";
import type { RunnerLimits } from "./load-plugin.ts";

/** Bounds of a runner's life. */
export interface RecyclePolicy {
  readonly calls: number;
  /** Resident memory of the process, bytes. */
  readonly residentBytes: number;
  /** CPU time, milliseconds. */
  readonly cpuMs: number;
}

/** What a runner has used in its life. */
export interface RunnerUse {
  readonly calls: number;
  readonly residentBytes: number;
  readonly cpuMs: number;
}

/** Why a runner is replaced. */
export type RecycleReason = "calls" | "memory" | "cpu" | "violation";

/**
 * Failures after which the process is not used again although it is alive: it met a limit, or asked
 * the host to read what is not its own. What ends a process by itself is not listed.
 */
export const RECYCLED_AFTER: ReadonlySet<string> = new Set<SandboxErrorCode>([
  "SANDBOX_MEMORY_LIMIT",
  "SANDBOX_OUTPUT_RANGE",
  "SANDBOX_OUTPUT_SIZE",
]);

/** What a runner's process may map for its plugin: its memory, input, output, and the allowance for the engine; bytes. */
export function dataBytesOf({ memoryBytes, inputBytes, outputBytes }: RunnerLimits): number {
  return memoryBytes + inputBytes + outputBytes + RUNNER_OVERHEAD_BYTES;
}

/** The policy of a plugin with these limits; what is given beats the defaults. */
export function recyclePolicy(
  limits: RunnerLimits,
  given: Partial<Pick<RecyclePolicy, "calls" | "residentBytes">> = {},
): RecyclePolicy {
  return {
    calls: given.calls ?? DEFAULT_RECYCLE_CALLS,
    residentBytes: given.residentBytes ?? Math.floor(dataBytesOf(limits) * RECYCLE_MEMORY_SHARE),
    cpuMs: RECYCLE_CPU_MS,
  };
}

/** Why a runner should be replaced now; `failure` is the code with which its last call failed. */
export function recycleReason(
  policy: RecyclePolicy,
  use: RunnerUse,
  failure?: string,
): RecycleReason | undefined {
  if (failure !== undefined && RECYCLED_AFTER.has(failure)) return "violation";
  if (use.cpuMs >= policy.cpuMs) return "cpu";
  if (use.residentBytes >= policy.residentBytes) return "memory";
  return use.calls >= policy.calls ? "calls" : undefined;
}
