/** @module What a host may choose when a module is metered. */
import { received } from "@glovebox/core/errors";

import { MeteringError } from "./errors.ts";
import { MAX_CALL_DEPTH, MAX_MEMORY_PAGES } from "./limits.ts";
import type { Maxima } from "./rewrite/memory-limit.ts";

/** The engine's largest table: kV8MaxWasmTableSize. */
const HIGHEST_TABLE = 10_000_000;
const DEFAULT_MEMORY_PAGES = 1_024;
const DEFAULT_TABLE_ELEMENTS = 100_000;

/** Where charges are placed. */
export type Placement = "merged" | "per-block";

/** Options of {@link meterModule}. */
export interface MeteringOptions {
  /**
   * `"merged"` (default) counts the same with fewer charges, and passes fuel from function to
   * function; `"per-block"` is the reference: simplest, and slower to run.
   */
  readonly placement?: Placement;
  /** Pages of 64 KiB that each memory may grow to. Default: 1,024 (64 MiB). 0: no memory. */
  readonly maxMemoryPages?: number;
  /** Elements that each table may grow to. Default: 100,000. 0: only empty tables. */
  readonly maxTableElements?: number;
  /**
   * Calls of the module's functions that may be in progress at a time. Default: not counted, and the
   * engine's stack ends a recursion, sooner or later by the machine. 0: none.
   */
  readonly maxCallDepth?: number;
}

/** Checks the options once. */
export function parseOptions(options: MeteringOptions): {
  readonly maxima: Maxima;
  readonly placement: Placement;
} {
  const { placement = "merged" } = options;
  if (placement !== "merged" && placement !== "per-block") {
    throw new MeteringError("METERING_USAGE", {
      message: `placement must be merged or per-block; received ${received(placement)}`,
    });
  }
  const {
    maxMemoryPages = DEFAULT_MEMORY_PAGES,
    maxTableElements = DEFAULT_TABLE_ELEMENTS,
    maxCallDepth: callDepth,
  } = options;
  require("maxMemoryPages", maxMemoryPages, MAX_MEMORY_PAGES);
  require("maxTableElements", maxTableElements, HIGHEST_TABLE);
  if (callDepth !== undefined) require("maxCallDepth", callDepth, MAX_CALL_DEPTH);
  const maxima = { memoryPages: maxMemoryPages, tableElements: maxTableElements, callDepth };
  return { placement, maxima };
}

function require(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return;
  throw new MeteringError("METERING_USAGE", {
    message: `${name} must be an integer from 0 to ${most}; received ${received(value)}`,
  });
}
