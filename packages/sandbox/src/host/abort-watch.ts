/**
 * @module Listens to the abort signals of calls that last. Adding and removing a listener costs as
 * much as a tenth of a short call, so that a runner's queue is looked at each millisecond while
 * something waits in it: what was there the last time gets its listener, what is gone costs nothing.
 */
import type { CallQueue, Queued } from "./call-queue.ts";
import type { Exchange } from "./exchange.ts";

const INTERVAL_MS = 1;

/** Watches the calls of one runner. */
export class AbortWatch {
  readonly #queue: CallQueue;
  readonly #abort: (exchange: Exchange) => void;
  #isWaiting = false;

  constructor(queue: CallQueue, abort: (exchange: Exchange) => void) {
    this.#queue = queue;
    this.#abort = abort;
  }

  /** To be called when a call was put into the queue. */
  start(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(this.#look, INTERVAL_MS);
  }

  /** Stops listening for a call that has settled. */
  settle(queued: Queued): void {
    const { abortListener, exchange } = queued;
    if (abortListener === undefined) return;
    queued.abortListener = undefined;
    exchange.host?.scope.signal.removeEventListener("abort", abortListener);
  }

  readonly #look = (): void => {
    this.#isWaiting = false;
    const aborted: Exchange[] = [];
    let isNew = false;
    for (const queued of this.#queue) {
      const signal = queued.exchange.host?.scope.signal;
      if (signal === undefined || queued.settled || queued.abortListener !== undefined) continue;
      if (signal.aborted) aborted.push(queued.exchange);
      else if (queued.isSeen) this.#listen(queued, signal);
      else {
        queued.isSeen = true;
        isNew = true;
      }
    }
    for (const exchange of aborted) this.#abort(exchange);
    if (isNew) this.start();
  };

  #listen(queued: Queued, signal: AbortSignal): void {
    queued.abortListener = () => this.#abort(queued.exchange);
    signal.addEventListener("abort", queued.abortListener, { once: true });
  }
}
