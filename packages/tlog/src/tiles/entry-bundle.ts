/**
 * @module Bundles of entries (C2SP tlog-tiles): each entry after its length in two bytes, big-endian.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";

import { MAX_ENTRY_BYTES } from "../limits.ts";

/** Bytes of the length before each entry. */
export const ENTRY_LENGTH_BYTES = 2;

/**
 * Where each entry of a bundle begins, after its length, and at the end where a further one would
 * begin: entry `i` is `bytes[offsets[i], offsets[i + 1] - 2)`. The bytes are attacker-controlled;
 * there must be exactly `count` entries and nothing after them.
 */
export function splitBundle(bytes: Uint8Array, count: number): Decision<Uint32Array> {
  const offsets = new Uint32Array(count + 1);
  let offset = ENTRY_LENGTH_BYTES;
  for (let entry = 0; entry < count; entry += 1) {
    if (offset > bytes.length) return cut(entry, count, bytes.length);
    offsets[entry] = offset;
    const length = (bytes[offset - 2] ?? 0) * 256 + (bytes[offset - 1] ?? 0);
    offset += length + ENTRY_LENGTH_BYTES;
  }
  if (offset - ENTRY_LENGTH_BYTES > bytes.length) return cut(count - 1, count, bytes.length);
  if (offset - ENTRY_LENGTH_BYTES < bytes.length) {
    const reason = `a bundle of ${count} entries ends at byte ${offset - 2} of ${bytes.length}`;
    return refuse("TLOG_TILE", "tlog.bundle", reason);
  }
  offsets[count] = offset;
  return allow("tlog.bundle", offsets);
}

/** Writes a bundle. @throws RangeError if an entry has more than 65,535 bytes. */
export function formatBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > MAX_ENTRY_BYTES) {
        throw new RangeError(
          `an entry has at most ${MAX_ENTRY_BYTES} bytes; received ${entry.length}`,
        );
      }
      return [Buffer.from([entry.length >> 8, entry.length & 0xff]), entry];
    }),
  );
}

function cut(entry: number, count: number, bytes: number): Decision<never> {
  const reason = `a bundle of ${bytes} bytes is cut within entry ${entry} of ${count}`;
  return refuse("TLOG_TILE", "tlog.bundle", reason);
}
