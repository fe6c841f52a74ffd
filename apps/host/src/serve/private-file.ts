/**
 * @module Files that only the host's user may read: made whole and with mode 0600, and replaced at
 * once, so that neither a crash nor a reader meets half of one.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { HostError } from "../errors.ts";

/** Nobody but the owner. */
const PRIVATE_MODE = 0o600;
const OTHERS = 0o077;

/**
 * Reads a private file, bounded; `undefined` when there is none.
 *
 * @throws {@link HostError} (`HOST_PRIVATE_FILE`) when it is a link or no file, too large, open to others,
 *   or another user's: whoever could put a file into the directory would else choose the host's key
 */
export async function readPrivateFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    // A link may lead to what others can write; opening a FIFO must not wait for its other end.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(path, flags);
    const stats = await file.stat();
    if (!stats.isFile()) throw problem(path, "it is no regular file");
    if (stats.uid !== (process.geteuid?.() ?? stats.uid))
      throw problem(path, "it belongs to another user than this process");
    if ((stats.mode & OTHERS) !== 0) throw problem(path, "others than its owner have rights to it");
    if (stats.size > maxBytes) throw problem(path, `it has more than ${maxBytes} bytes`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(stats.size), 0, stats.size, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof HostError) throw error;
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw problem(path, (error as { code?: string }).code ?? "unknown error", error);
  }
}

/**
 * Puts a file in place of what is there; durable when it resolves.
 *
 * @throws {@link HostError} (`HOST_PRIVATE_FILE`)
 */
export async function replacePrivateFile(path: string, data: Uint8Array | string): Promise<void> {
  const next = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    {
      await using file = await open(next, "wx", PRIVATE_MODE);
      await file.writeFile(data);
      await file.sync();
    }
    await rename(next, path);
    await using folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    await folder.sync();
  } catch (cause) {
    await rm(next, { force: true });
    throw problem(path, (cause as { code?: string }).code ?? "unknown error", cause);
  }
}

/** The error of a private file. */
export function problem(path: string, what: string, cause?: unknown): HostError {
  return new HostError("HOST_PRIVATE_FILE", { message: `${path}: ${what}`, cause });
}
