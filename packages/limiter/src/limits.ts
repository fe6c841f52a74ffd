/**
 * @module Every bound of this package, with its unit and the reason for the number. The defaults
 * are what a host gets that sets nothing.
 */

/** Calls that run at once on a host: a few per core, with room for those that wait for I/O. */
export const DEFAULT_MAX_CONCURRENT = 64;

/** Calls of one plugin that run at once: an eighth of the host, so that eight must collude. */
export const DEFAULT_MAX_CONCURRENT_PER_PLUGIN = 8;

/** Calls that wait on a host; with 1 s of patience each, more would mostly wait in vain. */
export const DEFAULT_MAX_QUEUED = 256;

/** Calls of one plugin that wait: a quarter of the queue, so that one plugin never fills it. */
export const DEFAULT_MAX_QUEUED_PER_PLUGIN = 64;

/** Milliseconds that a call waits for a slot: past this a caller is better told to come back. */
export const DEFAULT_MAX_QUEUE_WAIT_MS = 1_000;

/** Plugins, and tenants, that are tracked at once: about 2 MB at 200 bytes each. */
export const DEFAULT_MAX_KEYS = 10_000;

/** Entries that are looked at for an idle one before a new key is refused: bounds one decision. */
export const EVICTION_SCAN = 16;

/** Calls per second that a throttle level scales when no rate is set. */
export const THROTTLE_BASE_RATE_PER_SECOND = 100;

/** `retryAfterMs` where slots are taken: a hint of a call's usual length, not a promise. */
export const BUSY_RETRY_MS = 100;

/** Milliseconds between two readings of a CPU clock near its limit: the overshoot that is accepted. */
export const MIN_CPU_CHECK_MS = 2;

/** Milliseconds until a lease source that gave nothing is asked again, and the hint to callers. */
export const LEASE_RETRY_MS = 100;

/** Milliseconds of CPU time below which a call says too little about the rate: the clock's ticks show. */
export const MIN_CALIBRATION_CPU_MS = 1;

/** What is left of the calibrated rate after a slower call: half of it after about 70 of them. */
export const CPU_RATE_DECAY = 0.99;
