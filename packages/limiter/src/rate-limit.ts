/**
 * @module Rates of calls, by the generic cell rate algorithm of core/flow. A refused call costs
 * nothing, and the answer says when to come back.
 */
import type { Clock } from "@glovebox/core/clock";
import { type Refusal, refuse } from "@glovebox/core/decision";
import { type Gcra, createGcra } from "@glovebox/core/flow";

/** How many calls may pass. */
export interface Rate {
  /** Calls per second; `Infinity` for no limit. */
  readonly ratePerSecond: number;
  /** Calls that may come at once, at least 1. */
  readonly burst: number;
}

/** A meter for a rate, full at first; none where there is no limit. */
export function createMeter(rate: Rate, clock: Clock): Gcra | undefined {
  return rate.ratePerSecond === Infinity ? undefined : createGcra(rate, { clock });
}

/** Takes one call from a meter, if there is one. */
export function takeRate(whose: "plugin" | "tenant", meter: Gcra | undefined): Refusal | undefined {
  const answer = meter?.tryTake();
  if (answer === undefined || answer.ok) return undefined;
  return refuse(
    "LIMITER_RATE",
    `limiter.rate.${whose}`,
    `the ${whose}'s calls come faster than its rate allows`,
    answer.retryAfterMs,
  );
}
