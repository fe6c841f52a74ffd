/**
 * @module Reading a file of frames from its beginning to its end, the next piece while the last one is
 * worked on: recovery hashes all that it reads, and the disk need not wait for it (bench `auditor`,
 * `recover_s_per_gb`).
 */
import { READ_CHUNK_BYTES } from "../limits.ts";
import type { LogFile } from "./file-system.ts";
import { MAX_FRAME_BYTES } from "./frame.ts";

/** Two buffers for one file after the other; fresh memory costs a quarter of the hashing. */
export class ReadAhead {
  #spare: Buffer = newBuffer();
  #reading: Buffer = newBuffer();

  /**
   * The pieces of `file[position, size)`. Each begins with what `rest` answers, at most a frame: what
   * of the piece before was not used. A piece is overwritten while the next but one is read.
   */
  async *pieces(
    file: Pick<LogFile, "read">,
    position: number,
    size: number,
    rest: () => Buffer,
  ): AsyncGenerator<Buffer, void> {
    let at = position;
    const readNext = (): Promise<Buffer> => {
      const length = Math.min(READ_CHUNK_BYTES, size - at);
      at += length;
      const next = file.read(at - length, length, this.#reading.subarray(MAX_FRAME_BYTES));
      // Nobody may come to wait for it.
      next.catch(() => undefined);
      return next;
    };
    let coming = readNext();
    try {
      for (;;) {
        const { length } = await coming;
        if (length === 0) return;
        const left = rest();
        const start = MAX_FRAME_BYTES - left.length;
        left.copy(this.#reading, start);
        const piece = this.#reading.subarray(start, MAX_FRAME_BYTES + length);
        [this.#reading, this.#spare] = [this.#spare, this.#reading];
        coming = readNext();
        yield piece;
      }
    } finally {
      // It still writes into a buffer that serves the next file.
      await coming.catch(() => undefined);
    }
  }
}

function newBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(MAX_FRAME_BYTES + READ_CHUNK_BYTES);
}
