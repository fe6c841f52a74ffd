/**
 * @module How long calls wait. All wait for the same time at most, so those that came first are due
 * first, and one timer serves them all.
 */
import type { Clock, Timer } from "@glovebox/core/clock";

/** Something that waits since a moment of the monotonic clock. */
interface Waiting {
  readonly sinceMs: number;
}

/** Tells whose time is up. */
export class Patience<Waiter extends Waiting> {
  readonly #clock: Clock;
  readonly #maxWaitMs: number;
  readonly #timeUp: (waiter: Waiter) => void;
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiter>();
  #timer: Timer | undefined;

  constructor(clock: Clock, maxWaitMs: number, timeUp: (waiter: Waiter) => void) {
    this.#clock = clock;
    this.#maxWaitMs = maxWaitMs;
    this.#timeUp = timeUp;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Starts a wait that began now. */
  add(waiter: Waiter): void {
    this.#waiting.add(waiter);
    this.#timer ??= this.#clock.setTimer(this.#maxWaitMs, () => this.#check());
  }

  /** Ends a wait; `false` when it had ended before. */
  delete(waiter: Waiter): boolean {
    if (!this.#waiting.delete(waiter)) return false;
    if (this.#waiting.size === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
    return true;
  }

  /** The one timer goes off for a call that may have left since: then the next one is waited for. */
  #check(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const waiter of this.#waiting) {
      const leftMs = waiter.sinceMs + this.#maxWaitMs - nowMs;
      if (leftMs > 0) {
        this.#timer = this.#clock.setTimer(leftMs, () => this.#check());
        return;
      }
      this.#timeUp(waiter);
    }
  }
}
