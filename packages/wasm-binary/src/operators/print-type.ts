/** @module Types in the text format, indices as numbers. */
import { HEAP_BIAS } from "../read/byte-reader.ts";

const VALUE_TYPES: Readonly<Record<number, string>> = {
  0x7f: "i32",
  0x7e: "i64",
  0x7d: "f32",
  0x7c: "f64",
  0x7b: "v128",
};

/** The abstract heap types by their byte. */
const HEAP_TYPES: Readonly<Record<number, string>> = {
  0x74: "noexn",
  0x73: "nofunc",
  0x72: "noextern",
  0x71: "none",
  0x70: "func",
  0x6f: "extern",
  0x6e: "any",
  0x6d: "eq",
  0x6c: "i31",
  0x6b: "struct",
  0x6a: "array",
  0x69: "exn",
};

/** Prints a value type as {@link ByteReader.valueType} numbers it. */
export function printValueType(type: number): string {
  const byte = type % 256;
  const plain = VALUE_TYPES[byte];
  if (plain !== undefined) return plain;
  if (byte !== 0x63 && byte !== 0x64) return `(ref null ${printHeapType(byte - 0x80)})`;
  const heap = Math.floor(type / 256) - HEAP_BIAS;
  return `(ref ${byte === 0x63 ? "null " : ""}${printHeapType(heap)})`;
}

/** Prints a heap type: an index, or the name of an abstract type. */
export function printHeapType(type: number): string {
  return type >= 0 ? String(type) : (HEAP_TYPES[type + 0x80] ?? "?");
}

/** Prints a block type as {@link OperatorReader} numbers it; nothing for an empty one. */
export function printBlockType(type: number): string {
  if (type >= 0) return `(type ${type})`;
  return type === -64 ? "" : `(result ${printValueType(-65 - type)})`;
}
