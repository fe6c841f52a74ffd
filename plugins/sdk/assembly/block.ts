/** @module Bytes across the border: eight at a time between the plugin's memory and the kernel's blocks. */
import * as env from "./env";

/** Puts bytes into a new block. Answers 0 for no bytes, and when the host has no memory left. */
export function writeBlock(bytes: Uint8Array): u64 {
  const size = bytes.length;
  const handle = env.alloc(<u64>size);
  if (handle == 0) return 0;
  const from = bytes.dataStart;
  let at = 0;
  for (; at + 8 <= size; at += 8) env.storeU64(handle + at, load<u64>(from + at));
  for (; at < size; at++) env.storeU8(handle + at, load<u8>(from + at));
  return handle;
}

/** Puts a text into a new block, as UTF-8. */
export function writeText(text: string): u64 {
  return writeBlock(encodeText(text));
}

/** The bytes of a block; the block stays. Empty for a handle that is none. */
export function readBlock(handle: u64): Uint8Array {
  const size = <i32>env.length(handle);
  const bytes = new Uint8Array(size);
  const to = bytes.dataStart;
  let at = 0;
  for (; at + 8 <= size; at += 8) store<u64>(to + at, env.loadU64(handle + at));
  for (; at < size; at++) store<u8>(to + at, <u8>env.loadU8(handle + at));
  return bytes;
}

/** As {@link readBlock}, and frees the block. */
export function takeBlock(handle: u64): Uint8Array {
  const bytes = readBlock(handle);
  env.free(handle);
  return bytes;
}

/** Copies `size` bytes of the input from `offset` to the start of `bytes`. */
export function readInputInto(bytes: Uint8Array, offset: u64, size: i32): void {
  const to = bytes.dataStart;
  let at = 0;
  for (; at + 8 <= size; at += 8) store<u64>(to + at, env.inputLoadU64(offset + at));
  for (; at < size; at++) store<u8>(to + at, <u8>env.inputLoadU8(offset + at));
}

/** Text to UTF-8. */
export function encodeText(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

/** UTF-8 to text; broken sequences become replacement characters. */
export function decodeText(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}
