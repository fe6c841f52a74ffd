/** @module Rates per key, for whoever needs nothing but a rate: requests, log lines, e-mails. */
import { type Clock, systemClock } from "@glovebox/core/clock";
import { type Allowed, type Decision, allow, refuse } from "@glovebox/core/decision";
import { type Gcra, createGcra } from "@glovebox/core/flow";

import { positive, wholeNumber } from "./check-option.ts";
import { KeyTable } from "./key-table.ts";
import { BUSY_RETRY_MS, DEFAULT_MAX_KEYS } from "./limits.ts";

/** What a rate limiter can be told. */
export interface RateLimiterOptions {
  /** Cost per second and key; above 0, fractions allowed. */
  readonly ratePerSecond: number;
  /** Cost that may come at once, at least 1. Default: 1. */
  readonly burst?: number;
  /** Keys that are tracked at once, at least 1. Default: 10,000. */
  readonly maxKeys?: number;
}

/** Where time comes from; the system's clock by default. */
export interface RateLimiterDeps {
  readonly clock: Clock;
}

/** Rates per key. */
export interface RateLimiter {
  /**
   * Takes `cost` (default 1) of the key's rate, or refuses with `LIMITER_RATE` and the milliseconds
   * after which it would pass; a refusal costs nothing. `LIMITER_KEYS`: the table is full of keys
   * whose rate has not recovered.
   */
  tryTake(key: string, cost?: number): Decision<void>;
}

/**
 * Makes a rate limiter: the generic cell rate algorithm (ITU-T I.371 annex A), one number per key.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`) for an option outside its range.
 *
 * @example
 * ```ts
 * const logins = createRateLimiter({ ratePerSecond: 1, burst: 5 });
 * const decision = logins.tryTake(userName);
 * ```
 */
export function createRateLimiter(
  options: RateLimiterOptions,
  deps: RateLimiterDeps = { clock: systemClock },
): RateLimiter {
  const ratePerSecond = positive("ratePerSecond", options.ratePerSecond);
  const rate = { ratePerSecond, burst: wholeNumber("burst", options.burst ?? 1, 1) };
  const maxKeys = wholeNumber("maxKeys", options.maxKeys ?? DEFAULT_MAX_KEYS, 1);
  const meters = new KeyTable<string, Gcra>(maxKeys, () => createGcra(rate, deps));
  return {
    tryTake(key, cost) {
      const meter = meters.open(key);
      if (meter === undefined) return KEYS_FULL;
      const answer = meter.tryTake(cost);
      if (answer.ok) return TAKEN;
      return answer.retryAfterMs === Infinity
        ? TOO_LARGE
        : refuse("LIMITER_RATE", "limiter.rate", "the key is over its rate", answer.retryAfterMs);
    },
  };
}

const TAKEN: Allowed<void> = Object.freeze(allow("limiter.rate", undefined));
const TOO_LARGE = Object.freeze(
  refuse("LIMITER_RATE", "limiter.rate", "the cost is above what may ever come at once"),
);
const KEYS_FULL = Object.freeze(
  refuse(
    "LIMITER_KEYS",
    "limiter.keys.rate",
    "no key has recovered its rate, so none can be dropped to make room for a new one",
    BUSY_RETRY_MS,
  ),
);
