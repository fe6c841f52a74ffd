/**
 * @module What a grant has used, against its concurrency, rates and totals. A use counts for every
 * grant up the chain, so that attenuating one grant into many gives no more than it had.
 */
import type { Clock } from "@glovebox/core/clock";
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { type Gcra, createGcra } from "@glovebox/core/flow";

import type { GrantQuota, NetworkLimits } from "./grant.ts";
import type { QuotaState } from "./quota-state.ts";

/** Counted so far. */
export interface UsageCounts {
  readonly requests: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** What counts the uses of one grant. */
export interface GrantUsage {
  readonly counts: UsageCounts;
  /** The counts beside their bounds, one for each. */
  quotas(): readonly QuotaState[];
  /** What is left here and above; `undefined` = no bound. */
  remaining(what: keyof UsageCounts): number | undefined;
  /** Takes a place for an exchange; the value gives it back. */
  begin(): Decision<() => void>;
  /** Takes one request: the first of an exchange, or a redirect. */
  request(): Decision<void>;
  lookUp(): Decision<void>;
  /** Counts bytes that the plugin chose, before they are sent. */
  send(bytes: number): Decision<void>;
  /** Counts bytes of a response. */
  receive(bytes: number): Decision<void>;
}

/** The bounds of one grant. */
export interface UsageBounds {
  readonly limits: Pick<
    NetworkLimits,
    "maxConcurrent" | "maxRequestsPerMinute" | "maxLookUpsPerMinute"
  >;
  readonly quota: GrantQuota;
}

const COUNTED = ["requests", "sentBytes", "receivedBytes"] as const;
const FINE = allow("grant.quota", undefined);

/** Counts for one grant, and for those above it. */
export function createUsage(
  { limits, quota }: UsageBounds,
  clock: Clock,
  parent?: GrantUsage,
): GrantUsage {
  const counts = { requests: 0, sentBytes: 0, receivedBytes: 0 };
  const requests = perMinute(limits.maxRequestsPerMinute, clock);
  const lookUps = perMinute(limits.maxLookUpsPerMinute, clock);
  let running = 0;

  function add(what: keyof UsageCounts, amount: number): Decision<void> {
    const max = quota[what] ?? Infinity;
    if (counts[what] + amount > max)
      return refuse("BROKER_QUOTA", `grant.quota.${what}`, `more than ${max} ${what} in all`);
    counts[what] += amount;
    return FINE;
  }

  function remaining(what: keyof UsageCounts): number | undefined {
    const { [what]: max } = quota;
    const above = parent?.remaining(what);
    if (max === undefined) return above;
    return Math.max(Math.min(max - counts[what], above ?? Infinity), 0);
  }

  return {
    counts,
    remaining,
    quotas: () =>
      COUNTED.map((what) => {
        const { [what]: max } = quota;
        const left = remaining(what);
        return {
          what,
          used: counts[what],
          ...(max === undefined ? {} : { max }),
          ...(left === undefined ? {} : { remaining: left }),
        };
      }),
    begin() {
      const { maxConcurrent } = limits;
      if (running >= maxConcurrent) {
        const state = `${running} of ${maxConcurrent} exchanges are in progress`;
        return refuse("BROKER_NETWORK_BUSY", "network.concurrency", state);
      }
      const above = parent?.begin();
      if (above?.allowed === false) return above;
      // Taken before the first wait, so that parallel requests cannot all see the last place free.
      running += 1;
      let isReleased = false;
      return allow("network.concurrency", () => {
        if (isReleased) return;
        isReleased = true;
        running -= 1;
        above?.value();
      });
    },
    request() {
      const above = parent?.request() ?? FINE;
      if (!above.allowed) return above;
      const rate = taken(requests, "network.rate", "requests");
      return rate.allowed ? add("requests", 1) : rate;
    },
    lookUp() {
      const above = parent?.lookUp() ?? FINE;
      return above.allowed ? taken(lookUps, "network.look-ups", "look-ups") : above;
    },
    send(bytes) {
      const above = parent?.send(bytes) ?? FINE;
      return above.allowed ? add("sentBytes", bytes) : above;
    },
    receive(bytes) {
      const above = parent?.receive(bytes) ?? FINE;
      return above.allowed ? add("receivedBytes", bytes) : above;
    },
  };
}

function perMinute(max: number, clock: Clock): Gcra | undefined {
  return max === 0 ? undefined : createGcra({ ratePerSecond: max / 60, burst: max }, { clock });
}

function taken(rate: Gcra | undefined, rule: string, what: string): Decision<void> {
  const answer = rate?.tryTake() ?? { ok: false, retryAfterMs: Infinity };
  if (answer.ok) return FINE;
  const { retryAfterMs } = answer;
  return refuse(
    "BROKER_NETWORK_RATE",
    rule,
    `too many ${what} in a minute`,
    Number.isFinite(retryAfterMs) ? retryAfterMs : undefined,
  );
}
