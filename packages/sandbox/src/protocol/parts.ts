/**
 * @module A payload of several byte strings: each a u32 length, little endian, and its bytes. Used
 * where JSON would have to carry bytes. Decoding never trusts a length (I3).
 */
import { readUint32 } from "./frame-table.ts";

const LENGTH_BYTES = 4;

/** Joins byte strings. */
export function encodeParts(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += LENGTH_BYTES + part.length;
  const whole = new Uint8Array(size);
  const view = new DataView(whole.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length, true);
    whole.set(part, at + LENGTH_BYTES);
    at += LENGTH_BYTES + part.length;
  }
  return whole;
}

/** Splits a payload into at most `max` views of it; `undefined` when it is malformed. */
export function decodeParts(payload: Uint8Array, max: number): Uint8Array[] | undefined {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < payload.length) {
    if (parts.length === max || payload.length - at < LENGTH_BYTES) return undefined;
    const length = readUint32(payload, at);
    at += LENGTH_BYTES;
    if (length > payload.length - at) return undefined;
    parts.push(payload.subarray(at, at + length));
    at += length;
  }
  return parts;
}
