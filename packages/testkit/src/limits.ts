/**
 * @module Every bound of the test kit, with its unit and the reason for the number. A test that
 * never ends is worse than one that fails, so each loop and each wait here has one.
 */

/** Assembled modules kept; a package's suite uses a few dozen fixtures. */
export const MAX_CACHED_MODULES = 256;

/** Timers that one `advance` runs: a suite needs thousands at most, a timer loop is endless. */
export const MAX_TIMERS_PER_ADVANCE = 100_000;

/** Milliseconds that one case may take: race cases need seconds, a lost promise takes for ever. */
export const DEFAULT_CASE_TIMEOUT_MS = 60_000;

/** Validity of a certificate in milliseconds (one day): no test outlives it. */
export const CERTIFICATE_LIFETIME_MS = 86_400_000;

/** Milliseconds that `setTimeout` can wait (2^31 − 1); with more, Node.js fires after 1 ms. */
export const MAX_TIMEOUT_MS = 2_147_483_647;
