import { readInputInto } from "./block";
/**
 * @module Chunked processing under a memory budget: one buffer of a chunk's size is reused, garbage
 * is collected between chunks, and a plugin whose memory grows beyond its budget fails instead of
 * meeting the host's limit in the middle of its work.
 */
import * as env from "./env";
import { fail, failed } from "./failure";

/** Chunks of `data`. See {@link Chunks}. */
export function chunks(data: Uint8Array, size: i32, budget: i32): Chunks {
  return new Chunks(data, <u64>data.length, size, budget);
}

/** Chunks of the call's input, which stays with the host and is never in the plugin as a whole. */
export function inputChunks(size: i32, budget: i32): Chunks {
  return new Chunks(null, env.inputLength(), size, budget);
}

/**
 * At most `size` bytes at a time, while the plugin's memory has grown by no more than `budget` bytes
 * since the first chunk:
 * `for (let part = parts.next(); part !== null; part = parts.next()) { … }`
 */
export class Chunks {
  private at: u64 = 0;
  private readonly startPages: i32;
  private readonly buffer: Uint8Array;

  constructor(
    private readonly data: Uint8Array | null,
    private readonly total: u64,
    size: i32,
    private readonly budget: i32,
  ) {
    this.startPages = memory.size();
    const usable = size > 0 && size <= budget;
    if (!usable) fail("The chunk size must be positive and within the memory budget.");
    this.buffer = new Uint8Array(usable ? size : 0);
  }

  /** The next bytes, good until the following call; `null` at the end and after a failure. */
  next(): Uint8Array | null {
    if (failed() || this.at >= this.total) return null;
    if (this.at != 0) __collect();
    if ((<i64>(memory.size() - this.startPages)) << 16 > <i64>this.budget) {
      fail("The memory budget is exhausted.");
      return null;
    }
    const size = <i32>min(<u64>this.buffer.length, this.total - this.at);
    const data = this.data;
    if (data === null) readInputInto(this.buffer, this.at, size);
    else memory.copy(this.buffer.dataStart, data.dataStart + <usize>this.at, size);
    this.at += size;
    return this.buffer.subarray(0, size);
  }
}
