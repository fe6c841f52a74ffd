/**
 * @module Every bound of this package. All counts and lengths in a module are attacker-controlled;
 * the engine has limits of its own, these are narrower where plugins need less.
 */

/** Default of `maxModuleBytes`: real plugins are below 5 MiB. */
export const DEFAULT_MAX_MODULE_BYTES: number = 10 * 1_048_576;
/** Most that `maxModuleBytes` may be: V8's own kV8MaxWasmModuleSize (src/wasm/wasm-limits.h). */
export const HIGHEST_MAX_MODULE_BYTES = 1_073_741_824;
/** Magic and version. */
export const HEADER_BYTES = 8;
/** Imports read: Extism has 25 of its own, WASI preview 1 has 46, generated glue a few hundred. */
export const MAX_IMPORTS = 2_000;
/** Exports read. */
export const MAX_EXPORTS = 10_000;
/** Bytes of one name: mangled C++ names reach about a thousand. */
export const MAX_NAME_BYTES = 4_096;
/** Import patterns of a policy, braces written out. */
export const MAX_IMPORT_PATTERNS = 1_000;
/** Characters of one import pattern. */
export const MAX_PATTERN_CHARACTERS = 512;
/** Findings named in one reason; the rest is counted. */
export const MAX_FINDINGS_NAMED = 10;
/** Functions that a report lists, by size. */
export const LISTED_FUNCTIONS = 10;
/** Operators that mix bits from which a function can be called hash-like: one round of a hash has more. */
export const MIN_HASH_OPERATORS = 32;
/** The same where they are in no loop: compilers write a hash's rounds one behind the other, and call that in a loop; SHA-1 so has 576, Whirlpool 224. */
export const MIN_UNROLLED_HASH_OPERATORS = 128;
/** The share of computing operators that mix bits: 0.36 in MD5, 0.5 and more in SHA-2, BLAKE2 and Keccak; below 0.25 in the larger functions of SQLite, Zstandard and formatters. */
export const MIN_HASH_SHARE = 0.35;
/** Producers, dependencies and features that a report lists of each. */
export const MAX_CLAIMS = 1_000;
/** Bytes of a dependency list after decompression: a thousand crates take about 100 KB. */
export const MAX_DEPENDENCY_BYTES = 1_048_576;
/**
 * What compiling may cost: see {@link compileCost}. A 14 MB module of Go costs 7 million; a function
 * made of locals and blocks takes V8 about a second for every 10 million.
 */
export const DEFAULT_MAX_COMPILE_COST = 50_000_000;
/** What instantiating may cost: see {@link instantiationCost}; 128 MiB of data fit. */
export const DEFAULT_MAX_INSTANTIATION_COST = 16_777_216;
