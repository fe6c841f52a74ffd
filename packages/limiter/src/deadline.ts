/**
 * @module Wall-clock and CPU limits of one piece of work as one abort signal over one timer
 * (upstream: "CPU Time Limiting"). The timer is lazy: work that has `n` ms of CPU time left cannot
 * pass its limit in less than `n` ms of one thread, so nothing is read before that.
 *
 * The deadline only speaks; whoever runs the work has to stop it. JavaScript cannot interrupt a
 * busy loop, so the work has to be in another process than the deadline.
 */
import { type Clock, type Timer, systemClock } from "@glovebox/core/clock";

import { outside } from "./check-option.ts";
import { LimiterError, type LimiterErrorCode } from "./errors.ts";
import { MIN_CPU_CHECK_MS } from "./limits.ts";

/** The limits of one piece of work. */
export interface DeadlineOptions {
  /** Milliseconds of real time, at least 0. Default: no limit. 0 aborts at once. */
  readonly wallMs?: number;
  /** Milliseconds of CPU time, at least 0. Default: no limit. Needs `readCpuMs`. */
  readonly cpuMs?: number;
  /**
   * Reads the CPU time that the work's thread has used, in milliseconds, from any origin; what it
   * shows at the start counts as 0. A failure stops the work (I9).
   */
  readonly readCpuMs?: () => number;
  /** Aborts the deadline too, with its own reason: a kill, a revocation, a caller that left. */
  readonly parent?: AbortSignal;
}

/** What {@link createDeadline} needs from outside. */
export interface DeadlineDeps {
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/** A running deadline. Dispose it when the work is done: then it never aborts. */
export interface Deadline extends Disposable {
  /** Aborts once, with a {@link LimiterError} as its reason, or with the parent's reason. */
  readonly signal: AbortSignal;
  /** Milliseconds of real time left, at least 0; `Infinity` without a wall limit. */
  remainingMs(): number;
}

/**
 * Starts a deadline. Abort reasons: `LIMITER_WALL_DEADLINE`, `LIMITER_CPU_DEADLINE`,
 * `LIMITER_CPU_UNREADABLE`.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`) for a limit outside its range, or a CPU limit
 * without a CPU clock.
 *
 * @example
 * ```ts
 * using deadline = createDeadline({ wallMs: 5_000 });
 * deadline.signal.addEventListener("abort", () => runner.kill());
 * ```
 */
export function createDeadline(options: DeadlineOptions, deps: DeadlineDeps = {}): Deadline {
  const clock = deps.clock ?? systemClock;
  const wallMs = limit("wallMs", options.wallMs);
  const cpuMs = limit("cpuMs", options.cpuMs);
  const { readCpuMs, parent } = options;
  if (cpuMs !== undefined && readCpuMs === undefined) {
    throw outside("readCpuMs", "given with cpuMs", readCpuMs);
  }
  const controller = new AbortController();
  const startMs = clock.monotonicMs();
  let timer: Timer | undefined;

  const wallLeftMs = (): number =>
    wallMs === undefined ? Infinity : startMs + wallMs - clock.monotonicMs();
  const stop = (): void => {
    timer?.cancel();
    timer = undefined;
    parent?.removeEventListener("abort", onParent);
  };
  const abort = (reason: unknown): void => {
    stop();
    controller.abort(reason);
  };
  const onParent = (): void => abort(parent?.reason);
  const pass = (code: LimiterErrorCode, message: string, cause?: unknown): void =>
    abort(new LimiterError(code, { message, details: { wallMs, cpuMs }, cause }));

  let readUsedMs: (() => number) | undefined;
  const check = (): void => {
    const wallLeft = wallLeftMs();
    if (wallLeft <= 0) {
      return pass("LIMITER_WALL_DEADLINE", `the work passed its limit of ${wallMs} ms`);
    }
    let cpuLeft = Infinity;
    if (cpuMs !== undefined && readUsedMs !== undefined) {
      try {
        cpuLeft = cpuMs - readUsedMs();
      } catch (cause) {
        return pass("LIMITER_CPU_UNREADABLE", "the CPU clock of the work failed", cause);
      }
      if (cpuLeft <= 0) {
        return pass("LIMITER_CPU_DEADLINE", `the work passed its limit of ${cpuMs} ms of CPU time`);
      }
    }
    const nextMs = Math.min(wallLeft, Math.max(cpuLeft, MIN_CPU_CHECK_MS));
    if (nextMs !== Infinity) timer = clock.setTimer(nextMs, check);
  };

  if (parent?.aborted === true) {
    onParent();
  } else {
    parent?.addEventListener("abort", onParent, { once: true });
    if (cpuMs !== undefined && readCpuMs !== undefined) readUsedMs = cpuSince(readCpuMs);
    check();
  }
  return {
    signal: controller.signal,
    remainingMs: () => Math.max(0, wallLeftMs()),
    [Symbol.dispose]: stop,
  };
}

/** CPU time since the first reading, which is taken here. A clock that runs backwards has failed. */
function cpuSince(readCpuMs: () => number): () => number {
  let firstMs: number | undefined;
  let failure: unknown;
  try {
    firstMs = readCpuMs();
  } catch (cause) {
    failure = cause;
  }
  return () => {
    if (firstMs === undefined) throw failure;
    const usedMs = readCpuMs() - firstMs;
    if (!(usedMs >= 0)) throw new RangeError(`CPU time moved by ${usedMs} ms`);
    return usedMs;
  };
}

function limit(name: string, value: number | undefined): number | undefined {
  if (value === undefined || value >= 0) return value;
  throw outside(name, "a number of at least 0", value);
}
