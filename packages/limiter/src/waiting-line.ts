/**
 * @module The waiting calls of one plugin, by priority and then by arrival, as linked lists: joining,
 * leaving from anywhere and being next take constant time and make nothing.
 */

/** How urgent a call is, most urgent first; the host application says so, never the plugin. */
export const PRIORITIES: readonly Priority[] = ["high", "normal", "low"];

/** How urgent a call is. */
export type Priority = "high" | "normal" | "low";

/** A call that can wait in one line at a time. */
export interface Linked<Self> {
  /** The place of its priority in {@link PRIORITIES}; 0 is the most urgent. */
  readonly rank: number;
  older: Self | undefined;
  newer: Self | undefined;
}

/** Calls that wait, in order. */
export class WaitingLine<Waiter extends Linked<Waiter>> {
  readonly #oldest: (Waiter | undefined)[] = PRIORITIES.map(() => undefined);
  readonly #newest: (Waiter | undefined)[] = PRIORITIES.map(() => undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The call at a rank that has waited longest. */
  oldestAt(rank: number): Waiter | undefined {
    return this.#oldest[rank];
  }

  /** The newest of the least urgent calls, if it is less urgent than `rank`. */
  newestBelow(rank: number): Waiter | undefined {
    for (let below = PRIORITIES.length - 1; below > rank; below -= 1) {
      const waiter = this.#newest[below];
      if (waiter !== undefined) return waiter;
    }
    return undefined;
  }

  /** Puts a call, which waits nowhere yet, at the end of its rank. */
  add(waiter: Waiter): void {
    const last = this.#newest[waiter.rank];
    waiter.older = last;
    if (last === undefined) this.#oldest[waiter.rank] = waiter;
    else last.newer = waiter;
    this.#newest[waiter.rank] = waiter;
    this.#size += 1;
  }

  /** Takes out a call that waits here. */
  delete(waiter: Waiter): void {
    const { rank, older, newer } = waiter;
    if (older === undefined) this.#oldest[rank] = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest[rank] = older;
    else newer.older = older;
    waiter.older = undefined;
    waiter.newer = undefined;
    this.#size -= 1;
  }

  /** The calls, most urgent first; the current one may leave meanwhile. */
  *[Symbol.iterator](): Generator<Waiter, void> {
    for (const oldest of this.#oldest) {
      let waiter = oldest;
      while (waiter !== undefined) {
        const { newer } = waiter;
        yield waiter;
        waiter = newer;
      }
    }
  }
}
