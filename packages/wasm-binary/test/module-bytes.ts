/** @module Modules by hand, byte by byte, for what no assembler would write. */
import { ByteWriter } from "@glovebox/wasm-binary/write";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

type Bytes = number | readonly number[] | Uint8Array;

/** A module of the given bytes after the header. */
export function moduleOf(...parts: readonly Bytes[]): Uint8Array {
  return Uint8Array.from([...HEADER, ...flat(parts)]);
}

/** A section with its length. */
export function section(id: number, ...contents: readonly Bytes[]): number[] {
  const bytes = flat(contents);
  return [id, ...u32(bytes.length), ...bytes];
}

/** A module with one function `() → ()` whose body is `code`, `end` not included. */
export function moduleWithCode(...code: readonly Bytes[]): Uint8Array {
  return moduleOf(ONE_TYPE, ONE_FUNCTION, section(10, 1, sized(0, ...code, 0x0b)));
}

/** Bytes with their length before them, as a function body or a name. */
export function sized(...contents: readonly Bytes[]): number[] {
  const bytes = flat(contents);
  return [...u32(bytes.length), ...bytes];
}

/** A LEB128 u32, as short as it can be. */
export function u32(value: number): number[] {
  const writer = new ByteWriter();
  writer.unsigned(value);
  return [...writer.finish()];
}

/** One type `() → ()`. */
export const ONE_TYPE: readonly number[] = section(1, 1, 0x60, 0, 0);

/** One function of that type. */
export const ONE_FUNCTION: readonly number[] = section(3, 1, 0);

function flat(parts: readonly Bytes[]): number[] {
  return parts.flatMap((part) => (typeof part === "number" ? [part] : [...part]));
}
