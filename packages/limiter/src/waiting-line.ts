/**
 * @module The waiting calls of one plugin, by priority and then by arrival. Joining, leaving and
 * being next take constant time; only looking for a call to push out walks one plugin's queue.
 */
/** How urgent a call is, most urgent first; the host application says so, never the plugin. */
export const PRIORITIES: readonly Priority[] = ["high", "normal", "low"];

/** How urgent a call is. */
export type Priority = "high" | "normal" | "low";

/** A call that waits at the place of its priority in {@link PRIORITIES}; 0 is the most urgent. */
export interface Ranked {
  readonly rank: number;
}

/** Calls that wait, in order. */
export class WaitingLine<Waiter extends Ranked> {
  readonly #ranks: readonly Set<Waiter>[] = PRIORITIES.map(() => new Set());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Calls that wait at one rank. */
  sizeAt(rank: number): number {
    return this.#ranks[rank]?.size ?? 0;
  }

  add(waiter: Waiter): void {
    this.#ranks[waiter.rank]?.add(waiter);
    this.#size += 1;
  }

  /** Takes a call out; `false` when it was not waiting. */
  delete(waiter: Waiter): boolean {
    if (this.#ranks[waiter.rank]?.delete(waiter) !== true) return false;
    this.#size -= 1;
    return true;
  }

  /** The call at a rank that has waited longest. */
  oldestAt(rank: number): Waiter | undefined {
    return this.#ranks[rank]?.values().next().value;
  }

  /** The newest of the least urgent calls, if it is less urgent than `rank`. */
  newestBelow(rank: number): Waiter | undefined {
    for (let below = this.#ranks.length - 1; below > rank; below -= 1) {
      let last: Waiter | undefined;
      for (const waiter of this.#ranks[below] ?? []) last = waiter;
      if (last !== undefined) return last;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<Waiter, void> {
    for (const waiters of this.#ranks) yield* waiters;
  }
}
