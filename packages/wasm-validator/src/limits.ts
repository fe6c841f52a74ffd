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
/** Sections, custom ones included: compilers write a dozen. */
export const MAX_SECTIONS = 1_000;
/** Imports read: Extism has 25 of its own, WASI preview 1 has 46, generated glue a few hundred. */
export const MAX_IMPORTS = 2_000;
/** Exports read. */
export const MAX_EXPORTS = 10_000;
/** Bytes of one name: mangled C++ names reach about a thousand. */
export const MAX_NAME_BYTES = 4_096;
/** Bytes of a LEB128 u32 (WebAssembly core specification 5.2.2): ⌈32 / 7⌉. */
export const MAX_U32_BYTES = 5;
/** Bytes of a LEB128 u64: ⌈64 / 7⌉. */
export const MAX_U64_BYTES = 10;
/** Import patterns of a policy, braces written out. */
export const MAX_IMPORT_PATTERNS = 1_000;
/** Characters of one import pattern. */
export const MAX_PATTERN_CHARACTERS = 512;
/** Findings named in one reason; the rest is counted. */
export const MAX_FINDINGS_NAMED = 10;
