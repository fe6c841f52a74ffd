/** @module The two supplies of an account: time, and a lease of what several hosts share. */
import type { Clock } from "@glovebox/core/clock";

import { LEASE_RETRY_MS } from "../limits.ts";
import type { Supply } from "./account.ts";

/** How much of a resource one key has. */
export interface Allowance {
  /** Units that may be reserved at once, after a rest; a finite number above 0. */
  readonly capacity: number;
  /** Units that come back per second; a finite number above 0. */
  readonly perSecond: number;
}

/** Whose budget it is. */
export type BudgetLevel = "plugin" | "tenant" | "host";

/**
 * Hands out shares of budgets that several hosts hold together, from a store of the application's
 * choice. Decisions never wait for it: they are made against what was leased before.
 */
export interface LeaseSource {
  /**
   * Leases up to `wanted` units and answers how many. A rejection, or an answer that is not a
   * number from 0 to `wanted`, counts as 0 and is tried again later.
   */
  acquire(level: BudgetLevel, key: string, wanted: number): Promise<number>;
}

/** Units that come back with time: a token bucket, with exact waiting times. */
export function timeSupply(allowance: Allowance, clock: Clock): Supply {
  const perMs = allowance.perSecond / 1000;
  let collectedMs = clock.monotonicMs();
  return {
    collect() {
      const nowMs = clock.monotonicMs();
      const arrived = (nowMs - collectedMs) * perMs;
      collectedMs = nowMs;
      return arrived;
    },
    waitMs: (missing) => Math.ceil(missing / perMs),
    isFull: (remaining) => remaining >= allowance.capacity,
  };
}

/**
 * Units that are leased, in the background and one request at a time: more are asked for as soon as
 * less than half of the capacity is left. An idle account keeps its lease until it expires at the
 * source; forgetting it gives nothing away, since a new account starts with nothing.
 */
export function leaseSupply(
  allowance: Allowance,
  clock: Clock,
  acquire: (wanted: number) => Promise<number>,
): Supply {
  let arrived = 0;
  let isAsking = false;
  let askAgainMs = Number.NEGATIVE_INFINITY;

  async function ask(wanted: number): Promise<void> {
    isAsking = true;
    let granted: unknown = 0;
    try {
      granted = await acquire(wanted);
    } catch {
      // Fails closed: nothing is leased, and the source is asked again later.
    }
    if (typeof granted === "number" && granted > 0 && granted <= wanted) arrived += granted;
    else askAgainMs = clock.monotonicMs() + LEASE_RETRY_MS;
    isAsking = false;
  }

  return {
    collect(remaining) {
      const units = arrived;
      arrived = 0;
      const left = remaining + units;
      if (!isAsking && left < allowance.capacity / 2 && clock.monotonicMs() >= askAgainMs) {
        void ask(allowance.capacity - left);
      }
      return units;
    },
    waitMs: () => LEASE_RETRY_MS,
    // A debt is remembered; what is left of a lease may be forgotten.
    isFull: (remaining) => remaining >= 0,
  };
}
