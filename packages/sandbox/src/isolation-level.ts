/**
 * @module How well runners are locked in, as levels in order, and what a runner must have shown to
 * reach one (invariant I2). This version proves `none` and `permission`; the levels above are named
 * because policies refer to them, and asking for one of them is refused until it can be proven.
 */
import type { Hello } from "./protocol/hello.ts";

/** The levels, weakest first. */
export const ISOLATION_LEVELS = ["none", "permission", "hardened", "strict"] as const;

/**
 * `none`: a process of its own, nothing else. `permission`: Node's permission model refuses files,
 * processes and threads, proven by trying. `hardened` and `strict`: not reached by this version.
 */
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

/** The level that a runner's own probes prove. */
export function levelOf(hello: Hello): IsolationLevel {
  const { files, processes, threads } = hello.denied;
  return files && processes && threads ? "permission" : "none";
}

/** Whether `level` is at least `minimum`. */
export function reaches(level: IsolationLevel, minimum: IsolationLevel): boolean {
  return ISOLATION_LEVELS.indexOf(level) >= ISOLATION_LEVELS.indexOf(minimum);
}
