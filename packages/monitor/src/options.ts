/** @module The options of a monitor, checked once and filled up with defaults. */
import { received } from "@glovebox/core/errors";

import type { FailurePolicy } from "./consecutive-failures.ts";
import { MonitorError } from "./errors.ts";
import {
  DEFAULT_ALERT_TIMEOUT_MS,
  DEFAULT_BASE_QUARANTINE_MS,
  DEFAULT_DEDUP_WINDOW_MS,
  DEFAULT_FAILURE_THRESHOLD,
  DEFAULT_FORGIVE_AFTER_MS,
  DEFAULT_MAX_PLUGINS,
  DEFAULT_MAX_QUARANTINED_SHARE,
  DEFAULT_MAX_QUARANTINE_MS,
} from "./limits.ts";
import { type Registry, createRegistry } from "./metrics/registry.ts";
import type { Severity } from "./severity.ts";

/** What a monitor can be told. */
export interface MonitorOptions {
  /** Where its metrics go. Default: a registry of its own. */
  readonly registry?: Registry;
  /** Points in a row that lead to quarantine, at least 1. Default: 5. */
  readonly failureThreshold?: number;
  /** Milliseconds of a first quarantine, above 0; the n-th lasts n times as long. Default: 30,000. */
  readonly baseQuarantineMs?: number;
  /** Milliseconds of the longest quarantine for failures, above 0. Default: 3,600,000. */
  readonly maxQuarantineMs?: number;
  /** Milliseconds after a quarantine that make up for one earlier one, above 0. Default: 300,000. */
  readonly forgiveAfterMs?: number;
  /** Share of plugins, 0 to 1, in quarantine for failures at once; one may always be. Default: 0.5. */
  readonly maxQuarantinedShare?: number;
  /** Severities of codes, beside and before the table's. Default: none. */
  readonly severities?: Readonly<Record<string, Severity>>;
  /** Milliseconds in which equal alerts are sent once; 0 sends all. Default: 300,000. */
  readonly dedupWindowMs?: number;
  /** Milliseconds that a delivery may take, above 0. Default: 10,000. */
  readonly alertTimeoutMs?: number;
  /** Plugins watched at once, at least 1; past it the one not observed longest is forgotten. Default: 256. */
  readonly maxPlugins?: number;
}

/** The options with their defaults. */
export interface ParsedOptions {
  readonly registry: Registry;
  readonly policy: FailurePolicy;
  readonly maxQuarantinedShare: number;
  readonly severities: Readonly<Record<string, Severity>>;
  readonly dedupWindowMs: number;
  readonly alertTimeoutMs: number;
  readonly maxPlugins: number;
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {@link MonitorError} (`MONITOR_OPTION`)
 */
export function parseOptions(options: MonitorOptions): ParsedOptions {
  type Name = {
    [K in keyof MonitorOptions]-?: MonitorOptions[K] extends number | undefined ? K : never;
  }[keyof MonitorOptions];
  const check = (
    name: Name,
    preset: number,
    expected: string,
    fits: (value: number) => boolean,
  ): number => {
    const value = options[name] ?? preset;
    if (fits(value)) return value;
    throw new MonitorError("MONITOR_OPTION", {
      message: `${name} must be ${expected}; received ${received(value)}`,
      details: { option: name },
    });
  };
  const count = (name: Name, preset: number): number =>
    check(name, preset, "a whole number of at least 1", (n) => Number.isSafeInteger(n) && n >= 1);
  const span = (name: Name, preset: number): number =>
    check(name, preset, "a finite number above 0", (ms) => ms > 0 && ms !== Infinity);

  return {
    registry: options.registry ?? createRegistry(),
    policy: {
      failureThreshold: count("failureThreshold", DEFAULT_FAILURE_THRESHOLD),
      baseQuarantineMs: span("baseQuarantineMs", DEFAULT_BASE_QUARANTINE_MS),
      maxQuarantineMs: span("maxQuarantineMs", DEFAULT_MAX_QUARANTINE_MS),
      forgiveAfterMs: span("forgiveAfterMs", DEFAULT_FORGIVE_AFTER_MS),
    },
    maxQuarantinedShare: check(
      "maxQuarantinedShare",
      DEFAULT_MAX_QUARANTINED_SHARE,
      "a number from 0 to 1",
      (share) => share >= 0 && share <= 1,
    ),
    severities: { ...options.severities },
    dedupWindowMs: check(
      "dedupWindowMs",
      DEFAULT_DEDUP_WINDOW_MS,
      "a number of at least 0",
      (ms) => ms >= 0,
    ),
    alertTimeoutMs: span("alertTimeoutMs", DEFAULT_ALERT_TIMEOUT_MS),
    maxPlugins: count("maxPlugins", DEFAULT_MAX_PLUGINS),
  };
}
