/** @module Modules by hand, byte by byte, for what no assembler would write. */

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** A module of the given bytes after the header. */
export function moduleOf(...parts: readonly (number | readonly number[])[]): Uint8Array {
  return Uint8Array.from([...HEADER, ...parts.flat()]);
}

/** A section with its length. */
export function section(
  id: number,
  ...contents: readonly (number | readonly number[])[]
): number[] {
  const bytes = contents.flat();
  return [id, ...u32(bytes.length), ...bytes];
}

/** A LEB128 u32, as short as it can be. */
export function u32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const more = rest >= 0x80;
    bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest = Math.floor(rest / 0x80);
  } while (rest > 0);
  return bytes;
}

/** A name: its length and its UTF-8 bytes. */
export function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...u32(bytes.length), ...bytes];
}

/** One type `() → ()`. */
export const ONE_TYPE: readonly number[] = section(1, 1, 0x60, 0, 0);

/** Imports of functions of that type. */
export function importsOf(...imports: readonly (readonly [string, string])[]): number[] {
  const entries = imports.flatMap(([module, field]) => [...name(module), ...name(field), 0, 0]);
  return [...ONE_TYPE, ...section(2, u32(imports.length), entries)];
}
