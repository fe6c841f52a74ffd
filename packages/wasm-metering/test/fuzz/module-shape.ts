/** @module What the modules of all programs have in common. */
import type { NumberType } from "./program.ts";

/** Bytes of the types. */
export const TYPE_BYTES: Readonly<Record<NumberType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
};

/** Globals of every module: steps, and one of each type. */
export const GLOBALS: readonly NumberType[] = ["i32", "i32", "i64", "f32", "f64"];
/** Types behind those of the functions: of the tags, and what vectors and objects need. */
export const MORE_TYPES = { tagOfI32: 0, tagOfTwo: 1, struct: 2, array: 3 } as const;
