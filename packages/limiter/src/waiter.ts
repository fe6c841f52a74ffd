/**
 * @module One call's wait for a slot. It ends in exactly one way, and takes its abort listener with
 * it: nothing hangs, nothing stays behind on a signal that outlives the call.
 */
import type { Decision, Refusal } from "@glovebox/core/decision";

import type { Permit } from "./permit.ts";
import type { Linked } from "./waiting-line.ts";

/** Where calls wait. */
export interface Queue<Lane> {
  /** Takes a waiting call out. */
  leave(waiter: Waiter<Lane>): void;
}

/** A call that waits for a slot in its plugin's lane. */
export class Waiter<Lane> implements Linked<Waiter<Lane>> {
  readonly lane: Lane;
  readonly rank: number;
  readonly sinceMs: number;
  older: Waiter<Lane> | undefined = undefined;
  newer: Waiter<Lane> | undefined = undefined;
  readonly #queue: Queue<Lane>;
  readonly #resolve: (answer: Decision<Permit>) => void;
  #stopListening: (() => void) | undefined;

  constructor(
    queue: Queue<Lane>,
    lane: Lane,
    rank: number,
    sinceMs: number,
    resolve: (answer: Decision<Permit>) => void,
  ) {
    this.#queue = queue;
    this.lane = lane;
    this.rank = rank;
    this.sinceMs = sinceMs;
    this.#resolve = resolve;
  }

  /** Ends the wait with a refusal when the signal aborts. */
  leaveOn(signal: AbortSignal, refusal: Refusal): void {
    const onAbort = (): void => this.settle(refusal);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#stopListening = () => signal.removeEventListener("abort", onAbort);
  }

  /** Ends the wait; called once, since whoever waits is taken out of the queue here. */
  settle(answer: Decision<Permit>): void {
    this.#queue.leave(this);
    this.#stopListening?.();
    this.#resolve(answer);
  }
}
