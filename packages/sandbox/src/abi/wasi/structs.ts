/** @module Structures that WASI calls fill in (witx: `fdstat`, `filestat`, `dirent`), little endian. */
import type { PageAnswer, StatAnswer } from "../../protocol/file-calls.ts";
import type { Descriptor } from "./descriptors.ts";
import type { GuestMemory } from "./guest-memory.ts";

const FILETYPE = { file: 4, directory: 3, link: 7 } as const;
/** A stream is neither a terminal nor anything else that programs know. */
const FILETYPE_UNKNOWN = 0;
const FDSTAT_BYTES = 24;
const FILESTAT_BYTES = 64;
const DIRENT_BYTES = 24;
const encoder = new TextEncoder();

/** Writes an `fdstat`. */
export function writeFdstat(memory: GuestMemory, at: number, descriptor: Descriptor): void {
  const view = memory.struct(at, FDSTAT_BYTES);
  const { kind, flags, base, inheriting } = descriptor;
  view.setUint8(0, kind === "file" || kind === "directory" ? FILETYPE[kind] : FILETYPE_UNKNOWN);
  view.setUint8(1, 0);
  view.setUint16(2, flags, true);
  view.setUint32(4, 0, true);
  view.setBigUint64(8, base, true);
  view.setBigUint64(16, inheriting, true);
}

/** Writes a `filestat`; without a stat, a stream's. */
export function writeFilestat(memory: GuestMemory, at: number, stat: StatAnswer | undefined): void {
  const view = memory.struct(at, FILESTAT_BYTES);
  view.setBigUint64(0, 0n, true); // the device is the host's own business
  view.setBigUint64(8, stat?.id ?? 0n, true);
  view.setBigUint64(16, 0n, true);
  view.setUint8(16, stat === undefined ? FILETYPE_UNKNOWN : FILETYPE[stat.kind]);
  view.setBigUint64(24, stat?.links ?? 0n, true);
  view.setBigUint64(32, stat?.size ?? 0n, true);
  view.setBigUint64(40, stat?.accessedNs ?? 0n, true);
  view.setBigUint64(48, stat?.modifiedNs ?? 0n, true);
  view.setBigUint64(56, stat?.changedNs ?? 0n, true);
}

/** A `dirent` with its name, before the entry whose place is `next`. */
export function encodeDirent(
  { name, kind, id }: PageAnswer["entries"][number],
  next: number,
): Uint8Array {
  const text = encoder.encode(name);
  const bytes = new Uint8Array(DIRENT_BYTES + text.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(next), true);
  view.setBigUint64(8, id, true);
  view.setUint32(16, text.length, true);
  view.setUint8(20, FILETYPE[kind]);
  bytes.set(text, DIRENT_BYTES);
  return bytes;
}
