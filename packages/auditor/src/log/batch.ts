/**
 * @module Entries that are committed together, in one buffer that is written, checksummed and hashed
 * where it lies: a frame's header, then each entry after its length. This is the hot path; the buffer
 * of a batch that is done serves the next.
 */
import type { AuditorError } from "../errors.ts";
import { MAX_ENTRY_BYTES } from "../limits.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import type { LogEntry } from "./log.ts";

const FIRST_BUFFER_BYTES = 65_536;
const LENGTH_BYTES = 2;
/** UTF-8 has at most three bytes for each unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3;
/** Buffers that are kept for later batches: one is written, one fills, one waits. */
const MAX_SPARE_BUFFERS = 3;

const spare: Buffer[] = [];

/** Entries that reach the disk together. */
export class Batch {
  readonly first: number;
  count = 0;
  /** Where the next entry goes. */
  used: number = FRAME_HEADER_BYTES;
  bytes: Buffer = spare.pop() ?? Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
  /** Made when someone waits; resolves to the log's durable size. */
  waiting: PromiseWithResolvers<number> | undefined;
  /** Set when the batch is durable. */
  durableSize: number | undefined;
  error: AuditorError | undefined;

  constructor(first: number) {
    this.first = first;
  }

  get end(): number {
    return this.first + this.count;
  }

  /** Copies an entry; answers its bytes, or -1 if it is too large, and then nothing was added. */
  add(entry: LogEntry): number {
    const start = this.used + LENGTH_BYTES;
    const most = typeof entry === "string" ? entry.length * MAX_BYTES_PER_UNIT : entry.length;
    if (most > MAX_ENTRY_BYTES && sizeOf(entry) > MAX_ENTRY_BYTES) return -1;
    if (start + most > this.bytes.length) this.#grow(start + most);
    let length = entry.length;
    if (typeof entry === "string") length = this.bytes.write(entry, start, "utf8");
    else this.bytes.set(entry, start);
    this.bytes[this.used] = length >> 8;
    this.bytes[this.used + 1] = length & 0xff;
    this.used = start + length;
    this.count += 1;
    return length;
  }

  /** The frame, with a header that is still to be filled in. */
  frame(): Buffer {
    return this.bytes.subarray(0, this.used);
  }

  /** Gives the buffer back; the entries are gone. */
  release(): void {
    if (spare.length < MAX_SPARE_BUFFERS) spare.push(this.bytes);
    this.bytes = EMPTY;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed)));
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }
}

const EMPTY = Buffer.alloc(0);

function sizeOf(entry: LogEntry): number {
  return typeof entry === "string" ? Buffer.byteLength(entry) : entry.length;
}
