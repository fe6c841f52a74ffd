/** @module Every bound of this package, with its unit and the reason for the number. */

/** Label sets of one metric: 256 plugins with 16 codes each; a scrape stays under a few MB. */
export const DEFAULT_MAX_SERIES = 4_096;

/** Characters of a label value; ids have at most 64 and codes fewer, so more is foreign text. */
export const MAX_LABEL_VALUE_CHARACTERS = 128;

/** Buckets of one histogram: each is a line per label set in every scrape. */
export const MAX_BUCKETS = 64;

/** Plugins that are watched at once: about 1 KB each. */
export const DEFAULT_MAX_PLUGINS = 256;

/** Calls that health looks back on: enough for a rate, few enough to follow a change. */
export const HEALTH_WINDOW_CALLS = 20;

/** Milliseconds that a call counts for health: five minutes, as Alertmanager's resolve timeout. */
export const HEALTH_WINDOW_MS = 300_000;

/** Calls in the window before a plugin can be unhealthy: one failure of two calls says little. */
export const HEALTH_MIN_CALLS = 5;

/** Share of failures from which a plugin is degraded. */
export const DEGRADED_SHARE = 0.1;

/** Share of failures from which a plugin is unhealthy. */
export const UNHEALTHY_SHARE = 0.5;

/** Failures in a row that lead to quarantine: Envoy's `consecutive_5xx`. */
export const DEFAULT_FAILURE_THRESHOLD = 5;

/** Milliseconds of the first quarantine: Envoy's `base_ejection_time`. */
export const DEFAULT_BASE_QUARANTINE_MS = 30_000;

/** Milliseconds of the longest automatic quarantine: an hour, so that a repair shows the same day. */
export const DEFAULT_MAX_QUARANTINE_MS = 3_600_000;

/** Milliseconds of freedom after which one earlier quarantine is forgiven. */
export const DEFAULT_FORGIVE_AFTER_MS = 300_000;

/**
 * Share of watched plugins in automatic quarantine. Envoy allows a tenth, because its hosts stand in
 * for one another; plugins do not, but when more than half of them fail, the host is the suspect.
 */
export const DEFAULT_MAX_QUARANTINED_SHARE = 0.5;

/** Throttle level of a plugin that the cap keeps out of quarantine: a tenth of its speed is left. */
export const CAPPED_THROTTLE_LEVEL = 0.9;

/** Milliseconds in which equal alerts are sent once. */
export const DEFAULT_DEDUP_WINDOW_MS = 300_000;

/** Fingerprints that are remembered: some kinds for each watched plugin. */
export const MAX_FINGERPRINTS = 1_024;

/** Milliseconds that one delivery may take: a chat or paging service answers within seconds. */
export const DEFAULT_ALERT_TIMEOUT_MS = 10_000;

/** Deliveries under way to one sink: past this it is down, and waiting alerts only cost memory. */
export const MAX_PENDING_ALERTS = 64;
