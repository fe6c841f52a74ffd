/** @module Every bound of this package. All counts and lengths in a module are attacker-controlled. */

/** Magic and version. */
export const HEADER_BYTES = 8;
/**
 * Sections, custom ones included: compilers write a dozen, wasm-bindgen and debug builds a few more.
 * Bounds what the list of sections holds beside the bytes themselves.
 */
export const MAX_SECTIONS = 5_000;
/** Bytes of a LEB128 u32 or s33 (core specification 5.2.2): ⌈33 / 7⌉. */
export const MAX_LEB32_BYTES = 5;
/** Bytes of a LEB128 u64: ⌈64 / 7⌉. */
export const MAX_LEB64_BYTES = 10;
/**
 * Entries of a `br_table`, of the types of `select`, or three for each catch of `try_table`: V8's
 * kV8MaxWasmFunctionBrTableSize (src/wasm/wasm-limits.h), and the default target.
 */
export const MAX_LIST = 65_521;
