/** @module The options of a limiter, parsed once into what its parts are made of. */
import type { BulkheadLimits } from "./bulkhead.ts";
import { outside, positive, wholeNumber } from "./check-option.ts";
import type { LaneLimits } from "./lane.ts";
import {
  DEFAULT_MAX_CONCURRENT,
  DEFAULT_MAX_CONCURRENT_PER_PLUGIN,
  DEFAULT_MAX_KEYS,
  DEFAULT_MAX_QUEUE_WAIT_MS,
  DEFAULT_MAX_QUEUED,
  DEFAULT_MAX_QUEUED_PER_PLUGIN,
} from "./limits.ts";
import type { Rate } from "./rate-limit.ts";

/** What a limiter can be told. */
export interface LimiterOptions {
  /** Calls that run at once on this host, at least 1. Default: 64. */
  readonly maxConcurrent?: number;
  /** Calls of one plugin that run at once, at least 1. Default: 8. */
  readonly maxConcurrentPerPlugin?: number;
  /** Calls that wait for a slot; 0 means that none waits. Default: 256. */
  readonly maxQueued?: number;
  /** Calls of one plugin that wait for a slot; 0 means that none waits. Default: 64. */
  readonly maxQueuedPerPlugin?: number;
  /** Milliseconds that a call waits for a slot, at least 1. Default: 1,000. */
  readonly maxQueueWaitMs?: number;
  /** Calls per second of one plugin, above 0. Default: no limit. */
  readonly ratePerSecond?: number;
  /** Calls of one plugin that may come at once, at least 1. Default: 1. */
  readonly burst?: number;
  /** Calls per second of one tenant across plugins, above 0. Default: no limit. */
  readonly tenantRatePerSecond?: number;
  /** Calls of one tenant that may come at once, at least 1. Default: 1. */
  readonly tenantBurst?: number;
  /** Plugins, and likewise tenants, that are tracked at once, at least 1. Default: 10,000. */
  readonly maxKeys?: number;
}

/** The options with their defaults, by part. */
export interface ParsedOptions {
  readonly bulkhead: BulkheadLimits;
  readonly lane: LaneLimits;
  /** Absent where tenants have no rate. */
  readonly tenantRate: Rate | undefined;
  readonly maxKeys: number;
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`)
 */
export function parseOptions(options: LimiterOptions): ParsedOptions {
  const count = (name: keyof LimiterOptions, preset: number, min: number): number =>
    wholeNumber(name, options[name] ?? preset, min);
  const rate = (name: keyof LimiterOptions): number => positive(name, options[name] ?? Infinity);
  const ratePerSecond = rate("ratePerSecond");
  const tenantRatePerSecond = rate("tenantRatePerSecond");
  if (options.burst !== undefined && ratePerSecond === Infinity) {
    throw outside("burst", "left out where ratePerSecond is", options.burst);
  }
  if (options.tenantBurst !== undefined && tenantRatePerSecond === Infinity) {
    throw outside("tenantBurst", "left out where tenantRatePerSecond is", options.tenantBurst);
  }
  return {
    bulkhead: {
      maxConcurrent: count("maxConcurrent", DEFAULT_MAX_CONCURRENT, 1),
      maxQueued: count("maxQueued", DEFAULT_MAX_QUEUED, 0),
      maxQueuedPerPlugin: count("maxQueuedPerPlugin", DEFAULT_MAX_QUEUED_PER_PLUGIN, 0),
      maxQueueWaitMs: count("maxQueueWaitMs", DEFAULT_MAX_QUEUE_WAIT_MS, 1),
    },
    lane: {
      maxConcurrent: count("maxConcurrentPerPlugin", DEFAULT_MAX_CONCURRENT_PER_PLUGIN, 1),
      rate: { ratePerSecond, burst: count("burst", 1, 1) },
    },
    tenantRate:
      tenantRatePerSecond === Infinity
        ? undefined
        : { ratePerSecond: tenantRatePerSecond, burst: count("tenantBurst", 1, 1) },
    maxKeys: count("maxKeys", DEFAULT_MAX_KEYS, 1),
  };
}
