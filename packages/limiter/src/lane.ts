/**
 * @module Everything that is known of one plugin: its running calls, its waiting calls in their order,
 * its rate and its throttle level.
 */
import type { Clock } from "@glovebox/core/clock";
import type { Gcra } from "@glovebox/core/flow";

import type { KeyEntry } from "./key-table.ts";
import { THROTTLE_BASE_RATE_PER_SECOND } from "./limits.ts";
import { type Rate, createMeter } from "./rate-limit.ts";
import type { Waiter } from "./waiter.ts";
import { WaitingLine } from "./waiting-line.ts";

/** What every lane is allowed when it is not throttled. */
export interface LaneLimits {
  readonly maxConcurrent: number;
  readonly rate: Rate;
}

/** One plugin's lane. */
export class Lane implements KeyEntry {
  /** Calls running now. */
  active = 0;
  /** Calls that may run at once: 0 at throttle level 1. */
  maxActive: number;
  readonly waiters = new WaitingLine<Waiter<Lane>>();
  /** None where the plugin's rate is not limited. */
  meter: Gcra | undefined;
  readonly #limits: LaneLimits;
  readonly #clock: Clock;
  #level = 0;

  constructor(limits: LaneLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.maxActive = limits.maxConcurrent;
    this.meter = createMeter(limits.rate, clock);
  }

  /** From 0, not throttled, to 1, stopped. */
  get level(): number {
    return this.#level;
  }

  /**
   * Scales slots and rate by `1 - level`. Where no rate is set, a throttled plugin gets one, or its
   * level would mean nothing to a plugin that has a single slot.
   */
  throttle(level: number): void {
    if (level === this.#level) return;
    this.#level = level;
    const share = 1 - level;
    const { maxConcurrent, rate } = this.#limits;
    this.maxActive = share === 0 ? 0 : Math.max(1, Math.floor(maxConcurrent * share));
    this.meter = createMeter(share === 1 ? rate : scaled(rate, share), this.#clock);
  }

  /** Whether the lane could run a waiting call of a rank, as far as it is concerned. */
  isReadyAt(rank: number): boolean {
    return this.active < this.maxActive && this.waiters.oldestAt(rank) !== undefined;
  }

  /** A throttled lane is never idle: a flood of keys must not lift a throttle. */
  isIdle(): boolean {
    const isAtRest = this.active === 0 && this.waiters.size === 0 && this.#level === 0;
    return isAtRest && (this.meter?.isIdle() ?? true);
  }
}

function scaled(rate: Rate, share: number): Rate {
  const ratePerSecond = Number.isFinite(rate.ratePerSecond)
    ? rate.ratePerSecond
    : THROTTLE_BASE_RATE_PER_SECOND;
  // At share 0 no call gets as far as the meter, which needs a rate all the same.
  return { ratePerSecond: ratePerSecond * (share || 1), burst: Math.max(1, rate.burst * share) };
}
