/** @module A metered module, and how its host reads what a call has used. */
import type { Sha256 } from "@glovebox/core/ids";

import type { OffsetMap } from "./offset-map.ts";
import type { Maxima } from "./rewrite/memory-limit.ts";

/** Raised with every change of what is written for the same module. Part of every cache key. */
export const METERING_VERSION = 6;

/** A module with an instruction budget in it, frozen. */
export interface MeteredModule {
  readonly __glovebox: "MeteredModule";
  /** Read only: shared by all who hold the module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Digest of the original. */
  readonly original: Sha256;
  /**
   * Name of the exported global (mutable i64) that holds the fuel left. It begins at 0: set it before
   * each call, and before the start function.
   */
  readonly fuelExport: string;
  /**
   * Name of the function that the original names as its start function, which must be called once
   * before any other; `undefined` where it names none.
   */
  readonly startExport: string | undefined;
  /**
   * Name of the exported global (mutable i32) that holds the depth of calls: set it to 0 before each
   * call, and before the start function. `undefined` where it is not counted.
   */
  readonly depthExport: string | undefined;
  /** Back to the original's offsets. */
  readonly map: OffsetMap;
  /** Of this package's writing and of its cost table. */
  readonly versions: { readonly metering: number; readonly costs: number };
  /** What memories, tables and the depth of calls may grow to. */
  readonly maxima: Maxima;
  /** Names of custom sections that were left out because their offsets went stale. */
  readonly droppedSections: readonly string[];
  /** Functions whose charges could not be placed better than one for each block, and why. */
  readonly fallbacks: readonly MeteringFallback[];
}

/** See {@link MeteredModule.fallbacks}. */
export interface MeteringFallback {
  /** Index of the function, or -1 for the whole module. */
  readonly function: number;
  readonly reason: string;
}

/** What a call has used. */
export interface FuelUse {
  /** Units charged; the whole budget where they are not known. */
  readonly used: bigint;
  /** Whether `used` is the count itself: it is not after a trap. */
  readonly exact: boolean;
  /** Whether the call ended because its fuel ran out. */
  readonly exhausted: boolean;
}

/** What the global holds while the count is elsewhere: a trap leaves it there. */
export const POISON = -1n;

/**
 * Reads the fuel global after a call that began with `budget`.
 *
 * @example
 * ```ts
 * fuel.value = 1_000_000n;
 * instance.exports.run();
 * const { used } = fuelUse(1_000_000n, fuel.value);
 * ```
 */
export function fuelUse(budget: bigint, left: bigint): FuelUse {
  if (left >= 0n) return { used: budget - left, exact: true, exhausted: false };
  if (left === POISON) return { used: budget, exact: false, exhausted: false };
  // Written one lower than it was, so that it is never the poison.
  return { used: budget - left - 1n, exact: true, exhausted: true };
}

/** What the depth's global holds after a call too many. More than any bound, unsigned: none gets in then. */
export const TOO_DEEP = -1;

/**
 * Whether the call that trapped had too many calls in progress; `depth` is the depth's global after it.
 *
 * @example
 * ```ts
 * depth.value = 0;
 * assert.throws(() => instance.exports.recurse());
 * isTooDeep(depth.value); // true
 * ```
 */
export function isTooDeep(depth: number): boolean {
  return depth === TOO_DEEP;
}
