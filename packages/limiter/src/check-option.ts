/** @module Options of the programmer, checked once: a limit that is NaN would never be reached. */
import { received } from "@glovebox/core/errors";

import { LimiterError } from "./errors.ts";

/**
 * A whole number from `min` to `max`.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`)
 */
export function wholeNumber(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw outside(name, `a whole number of at least ${min}`, value);
}

/**
 * A number above 0, possibly infinite.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`)
 */
export function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw outside(name, "a number above 0", value);
}

/** The error for an option outside its range. */
export function outside(name: string, expected: string, value: unknown): LimiterError {
  return new LimiterError("LIMITER_OPTION", {
    message: `${name} must be ${expected}; received ${received(value)}`,
    details: { option: name },
  });
}
