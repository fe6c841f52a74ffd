/**
 * @module One call's wait for a slot. It ends in exactly one way, and takes its timer and its abort
 * listener with it: nothing hangs, nothing stays behind on a signal that outlives the call.
 */
import type { Clock } from "@glovebox/core/clock";
import { type Decision, type Refusal, refuse } from "@glovebox/core/decision";

import type { Bulkhead } from "./bulkhead.ts";
import type { Lane, Waiter } from "./lane.ts";
import { BUSY_RETRY_MS } from "./limits.ts";
import type { Permit } from "./permit.ts";

/** Where to wait and for how long. */
export interface SlotWait {
  readonly bulkhead: Bulkhead;
  readonly lane: Lane;
  /** The place of the call's priority. */
  readonly rank: number;
  readonly clock: Clock;
  readonly maxWaitMs: number;
  /** The answer to a caller that gave up. */
  readonly aborted: Refusal;
}

/** Queues a call for which the bulkhead has made room, and resolves when its wait ends. */
export function waitForSlot(
  wait: SlotWait,
  signal: AbortSignal | undefined,
): Promise<Decision<Permit>> {
  const { promise, resolve } = Promise.withResolvers<Decision<Permit>>();
  const { bulkhead, clock } = wait;
  const waiter: Waiter = {
    lane: wait.lane,
    rank: wait.rank,
    sinceMs: clock.monotonicMs(),
    settle(answer): void {
      bulkhead.leave(waiter);
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
      resolve(answer);
    },
  };
  const onAbort = (): void => waiter.settle(wait.aborted);
  const timer = clock.setTimer(wait.maxWaitMs, () => waiter.settle(TIMED_OUT));
  signal?.addEventListener("abort", onAbort, { once: true });
  bulkhead.enqueue(waiter);
  return promise;
}

const TIMED_OUT: Refusal = Object.freeze(
  refuse(
    "LIMITER_QUEUE_TIMEOUT",
    "limiter.queue.wait",
    "no slot became free for as long as a call may wait",
    BUSY_RETRY_MS,
  ),
);
