/** @module Files that the operator names: of bounded size, and no pipe that would be waited for. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

import { HostError } from "./errors.ts";
import { osReason } from "./os-reason.ts";

/**
 * Reads a file that the operator named, bounded.
 *
 * @throws {@link HostError} (`HOST_FILE`)
 */
export async function readOperatorFile(path: string, maxBytes: number): Promise<Buffer> {
  const problem = (what: string, cause?: unknown): HostError =>
    new HostError("HOST_FILE", { message: `${path} cannot be read: ${what}`, cause });
  let pieces: Buffer[];
  try {
    // O_NONBLOCK: opening a FIFO must not wait for its other end.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) throw problem("it is no regular file");
    if (stats.size > maxBytes) throw problem(`it has more than ${maxBytes} bytes`);
    pieces = [];
    let left = maxBytes + 1;
    while (left > 0) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(left, 65_536)));
      if (bytesRead === 0) break;
      pieces.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    if (left === 0) throw problem(`it has more than ${maxBytes} bytes`);
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw problem(osReason(error), error);
  }
  return Buffer.concat(pieces);
}
