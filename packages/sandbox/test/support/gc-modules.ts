/**
 * @module Modules of the garbage collection proposal, byte by byte: the assembler of these tests does
 * not know it. WebAssembly core specification 3.0, 5.3 and 5.4.
 */

const I64 = 0x7e;
const ARRAY = 0x5e;
const REF_NULL = 0x63;
const MUTABLE = 1;
const I32_CONST = 0x41;
const ARRAY_NEW_DEFAULT = [0xfb, 0x07];
const END = 0x0b;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/**
 * Globals whose constant expressions make arrays: `count` of them, with `elements` of eight bytes
 * each. Everything happens during instantiation, before any function could run.
 */
export function arraysInGlobals(count: number, elements: number): Uint8Array {
  const global = [REF_NULL, 0, 0, I32_CONST, ...signed(elements), ...ARRAY_NEW_DEFAULT, 0, END];
  return Uint8Array.from([
    ...HEADER,
    ...section(1, [1, ARRAY, I64, MUTABLE]),
    ...section(6, [...unsigned(count), ...Array.from({ length: count }, () => global).flat()]),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128 of a number from 0. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)];
}
