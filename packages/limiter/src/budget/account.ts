/**
 * @module One key's account of a resource: what is left, what running work has reserved, what was
 * used. A reservation is charged in full until it is settled, so that work that starts together
 * cannot spend the same units twice; settling may leave a debt, which is paid back first.
 */
import type { KeyEntry } from "../key-table.ts";

/** What became of a budget, in its units. */
export interface BudgetUse {
  /** Settled so far. */
  readonly used: number;
  /** Held now by work that has not settled. */
  readonly reserved: number;
  /** The most that was reserved at once. */
  readonly peakReserved: number;
  /** What could be reserved now; below 0 where work used more than it had reserved. */
  readonly remaining: number;
}

/** Where an account's units come from: time, or a lease of a budget that several hosts share. */
export interface Supply {
  /** Units that have come in since the last call; called before every decision. */
  collect(remaining: number): number;
  /** Milliseconds until `missing` more units are likely to be there; `Infinity`: never. */
  waitMs(missing: number): number;
  /** Whether an account with so much left is as good as a new one. */
  isFull(remaining: number): boolean;
}

/** Slack for sums of fractions, in parts of the capacity: a wait that was announced is enough. */
const ROUNDING = 1e-9;

/** An account that draws on a supply. */
export class Account implements KeyEntry {
  readonly #supply: Supply;
  readonly #capacity: number;
  #remaining: number;
  #used = 0;
  #reserved = 0;
  #peakReserved = 0;

  constructor(supply: Supply, capacity: number, initial: number) {
    this.#supply = supply;
    this.#capacity = capacity;
    this.#remaining = initial;
  }

  /** Milliseconds after which `amount` could be reserved; 0 when it can be now, `Infinity`: never. */
  waitMs(amount: number): number {
    this.#collect();
    if (amount <= this.#remaining + this.#capacity * ROUNDING) return 0;
    if (amount > this.#capacity) return Infinity;
    return this.#supply.waitMs(amount - this.#remaining);
  }

  /** Reserves an amount for which {@link waitMs} answered 0. */
  reserve(amount: number): void {
    this.#remaining -= amount;
    this.#reserved += amount;
    this.#peakReserved = Math.max(this.#peakReserved, this.#reserved);
  }

  /** Ends a reservation with what was used of it. */
  settle(reserved: number, used: number): void {
    this.#reserved -= reserved;
    this.#used += used;
    this.#remaining = Math.min(this.#capacity, this.#remaining + reserved - used);
  }

  use(): BudgetUse {
    this.#collect();
    return {
      used: this.#used,
      reserved: this.#reserved,
      peakReserved: this.#peakReserved,
      remaining: this.#remaining,
    };
  }

  isIdle(): boolean {
    this.#collect();
    return this.#reserved === 0 && this.#supply.isFull(this.#remaining);
  }

  #collect(): void {
    const arrived = this.#supply.collect(this.#remaining);
    this.#remaining = Math.min(this.#capacity, this.#remaining + arrived);
  }
}
