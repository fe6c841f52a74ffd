/** @module Every bound of this package; those of the engine are V8's (src/wasm/wasm-limits.h). */

/** kV8MaxWasmFunctionSize: bytes of a function body. */
export const MAX_BODY_BYTES = 7_654_321;
/** kV8MaxWasmFunctionLocals: locals of a function, parameters included. */
export const MAX_LOCALS = 50_000;
/** kV8MaxWasmGlobals. */
export const MAX_GLOBALS = 1_000_000;
/** kV8MaxWasmExports. */
export const MAX_EXPORTS = 1_000_000;
/** kV8MaxWasmTypes. */
export const MAX_TYPES = 1_000_000;
/** kV8MaxWasmFunctions (and kV8MaxWasmDefinedFunctions). */
export const MAX_FUNCTIONS = 1_000_000;
/** Bytes of the longest memory that the engine makes (memory64, 262,144 pages): longer bulk operations trap. */
export const MAX_MEMORY_BYTES = 2 ** 34;
/** Pages of the same. */
export const MAX_MEMORY_PAGES = 262_144;
/** Elements of the largest table (kV8MaxWasmTableSize is 10,000,000), rounded up. */
export const MAX_TABLE_ELEMENTS = 2 ** 24;
/**
 * Parameters or results of a function that takes its fuel as one more: each function that does may
 * want a wrapper that names every parameter, and half a million of 1,000 would make gigabytes.
 */
export const MAX_THREADED_VALUES = 64;
/** Units that may be spent without a look at what is left: some ten microseconds. */
export const MAX_UNCHECKED = 16_384;
/** Of these, units of short calls behind which a function that looks at what is left does not look. */
export const MAX_SHORT_CALLS = 4_096;
/** Calls of a function to those that may call it again, without a look behind each: 4 million units. */
export const MAX_CIRCULAR_CALLS = 256;
/**
 * Places of a function at which its flow may split or join; with more it is charged for each block. The
 * largest of SQLite has 2,000, of esbuild 7,000; what an analysis keeps is 200 bytes for each.
 */
export const MAX_NODES = 65_536;
/** Calls in progress that a host may allow: an engine's stack of a megabyte holds less than a tenth of them. */
export const MAX_CALL_DEPTH = 1_000_000;
