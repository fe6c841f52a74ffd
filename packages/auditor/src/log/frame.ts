/**
 * @module Frames of the write-ahead file: what was committed together, as a bundle of entries (C2SP
 * tlog-tiles) after a header of 24 bytes:
 *
 *     magic u32 | bytes of the bundle u32 | index of its first entry u64 | entries u32 | CRC-32 u32
 *
 * The checksum begins from a random number of the file, so that an old file's content in a reused
 * block is not taken for this one's. It finds what a torn write left; changes are found by the tree.
 */
import { crc32 } from "node:zlib";

import { MAX_BATCH_BYTES, MAX_ENTRY_BYTES } from "../limits.ts";

/** Bytes of a frame before its entries. */
export const FRAME_HEADER_BYTES = 24;
/** Bytes of the file's own header. */
export const SEGMENT_HEADER_BYTES = 20;

const FRAME_MAGIC = 0x47_42_46_31; // GBF1
const SEGMENT_MAGIC = 0x47_42_57_31; // GBW1
const CRC_OFFSET = 20;
const TWO_TO_32 = 4_294_967_296;

/** The largest bundle in a frame. */
const MAX_FRAME_PAYLOAD: number = MAX_BATCH_BYTES + MAX_ENTRY_BYTES + 2;

/** The largest frame. */
export const MAX_FRAME_BYTES: number = FRAME_HEADER_BYTES + MAX_FRAME_PAYLOAD;

/** What a frame holds. */
export interface Frame {
  readonly first: number;
  readonly count: number;
  /** The entries: a view of the bytes that were read. */
  readonly payload: Buffer;
}

/** The first bytes of a file: a number that its checksums begin from, and its first index. */
export interface SegmentHeader {
  readonly seed: number;
  readonly first: number;
}

/** Writes the header of a file. */
export function formatSegmentHeader({ seed, first }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.writeUInt32BE(SEGMENT_MAGIC, 0);
  bytes.writeUInt32BE(seed, 4);
  writeIndex(bytes, first, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 16)), 16);
  return bytes;
}

/** Reads the header of a file; `undefined` if there is none. */
export function parseSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32BE(0) !== SEGMENT_MAGIC)
    return undefined;
  // With another number to begin from, every frame would look unfinished, and be cut off.
  if (bytes.readUInt32BE(16) !== crc32(bytes.subarray(0, 16))) return undefined;
  const first = readIndex(bytes, 8);
  return first === undefined ? undefined : { seed: bytes.readUInt32BE(4), first };
}

/** Fills in the header of the frame in `bytes`, whose entries are already there. */
export function finishFrame(bytes: Buffer, seed: number, first: number, count: number): void {
  bytes.writeUInt32BE(FRAME_MAGIC, 0);
  bytes.writeUInt32BE(bytes.length - FRAME_HEADER_BYTES, 4);
  writeIndex(bytes, first, 8);
  bytes.writeUInt32BE(count, 16);
  bytes.writeUInt32BE(checksum(bytes, seed), CRC_OFFSET);
}

/**
 * Reads the frame at the beginning of `bytes`; `undefined` if none is whole there. Its length is not
 * to be trusted before its checksum is.
 */
export function parseFrame(bytes: Buffer, seed: number): Frame | undefined {
  if (bytes.length < FRAME_HEADER_BYTES || bytes.readUInt32BE(0) !== FRAME_MAGIC) return undefined;
  const length = bytes.readUInt32BE(4);
  const first = readIndex(bytes, 8);
  if (length > MAX_FRAME_PAYLOAD || bytes.length < FRAME_HEADER_BYTES + length) return undefined;
  const frame = bytes.subarray(0, FRAME_HEADER_BYTES + length);
  if (first === undefined || frame.readUInt32BE(CRC_OFFSET) !== checksum(frame, seed))
    return undefined;
  return { first, count: frame.readUInt32BE(16), payload: frame.subarray(FRAME_HEADER_BYTES) };
}

/** How many bytes of an unfinished frame of entry `first` there are; 0 for anything else. */
export function unfinishedBytes(bytes: Buffer, first: number): number {
  if (bytes.length < FRAME_HEADER_BYTES || bytes.readUInt32BE(0) !== FRAME_MAGIC) return 0;
  if (readIndex(bytes, 8) !== first) return 0;
  return Math.min(bytes.length, FRAME_HEADER_BYTES + bytes.readUInt32BE(4));
}

/** Where the next frame may begin at or after `from`; -1 if nowhere. */
export function findFrame(bytes: Buffer, from: number): number {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(FRAME_MAGIC);
  return bytes.indexOf(magic, from);
}

function checksum(frame: Buffer, seed: number): number {
  return crc32(frame.subarray(FRAME_HEADER_BYTES), crc32(frame.subarray(0, CRC_OFFSET), seed));
}

function writeIndex(bytes: Buffer, index: number, offset: number): void {
  bytes.writeUInt32BE(Math.floor(index / TWO_TO_32), offset);
  bytes.writeUInt32BE(index % TWO_TO_32, offset + 4);
}

function readIndex(bytes: Buffer, offset: number): number | undefined {
  const index = bytes.readUInt32BE(offset) * TWO_TO_32 + bytes.readUInt32BE(offset + 4);
  return Number.isSafeInteger(index) ? index : undefined;
}
