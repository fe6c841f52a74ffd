/**
 * @module Bounds of JSON text. `JSON.parse` has none: it nests five million arrays, rounds integers,
 * turns 1e400 into Infinity and keeps the last of two equal keys (CWE-400, CWE-674, RFC 7493).
 */
import { CoreError, received } from "../errors/index.ts";

/** 1 MiB: a frame between host and runner; text beyond it belongs in a stream. */
export const DEFAULT_MAX_BYTES = 1_048_576;
/** 64 levels: an order of magnitude above the deepest manifest, bundle or schema in use. */
export const DEFAULT_MAX_DEPTH = 64;
/** 10,000 members: where integer-like keys, the slowest to store, still take about a millisecond. */
export const DEFAULT_MAX_KEYS = 10_000;
/** 1,000,000 items: half a second of the one thread at worst. */
export const DEFAULT_MAX_ITEMS = 1_000_000;
/** The reader and the writer call themselves once a level; 1,000 levels fit into any stack. */
export const MAX_DEPTH_CEILING = 1_000;

/** Bounds of one text. The text is attacker-controlled, the bounds are not. */
export interface JsonLimits {
  /** Bytes of the text in UTF-8. Default 1,048,576. */
  readonly maxBytes?: number;
  /** Arrays and objects around a value; 0 allows none. Default 64, at most 1,000. */
  readonly maxDepth?: number;
  /** Object members in the whole text; 0 allows none. Default 10,000. */
  readonly maxKeys?: number;
  /** Array items in the whole text; 0 allows none. Default 1,000,000. */
  readonly maxItems?: number;
  /** Bytes of one string or key in UTF-8. Default: as `maxBytes`. */
  readonly maxStringBytes?: number;
}

/** Fills in defaults. @throws {@link CoreError} (`CORE_OPTION`) for a bound out of range. */
export function parseJsonLimits(limits: JsonLimits): Required<JsonLimits> {
  const maxBytes = bound("maxBytes", limits.maxBytes ?? DEFAULT_MAX_BYTES);
  return {
    maxBytes,
    maxDepth: bound("maxDepth", limits.maxDepth ?? DEFAULT_MAX_DEPTH, MAX_DEPTH_CEILING),
    maxKeys: bound("maxKeys", limits.maxKeys ?? DEFAULT_MAX_KEYS),
    maxItems: bound("maxItems", limits.maxItems ?? DEFAULT_MAX_ITEMS),
    maxStringBytes: bound("maxStringBytes", limits.maxStringBytes ?? maxBytes),
  };
}

function bound(name: string, value: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new CoreError("CORE_OPTION", {
    message: `${name} must be an integer from 0 to ${max}; received ${received(value)}`,
  });
}
