/**
 * @module The file beneath the log, as the few operations that it needs. It comes in as a dependency
 * because what matters here is what happens when one of them fails. Links, FIFOs, second names and
 * files that others may write to are refused: whoever can put one there could redirect the log or
 * change it from elsewhere (CWE-59, CWE-732).
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { AuditorError } from "../errors.ts";

/** The log in its directory. */
export const LOG_FILE = "audit.jsonl";

const OWNER_DIRECTORY = 0o700;
const OWNER_FILE = 0o600;
const WRITABLE_BY_OTHERS = 0o022;

/** An append-only file. */
export interface LogFile {
  size(): Promise<number>;
  /** Bytes from `position`; fewer than `length` only at the end. */
  read(position: number, length: number): Promise<Buffer>;
  /** Appends; answers how many bytes were taken, which may be fewer. */
  write(bytes: Uint8Array): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Returns when the data is on the disk (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What the log needs of a file system. */
export interface LogFileSystem {
  /** Opens the log for appending, or makes it. */
  openLog(path: string): Promise<LogFile>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

/** The machine's file system. */
export const nodeLogFileSystem: LogFileSystem = Object.freeze({ openLog, syncDirectory });

/**
 * Makes the log's directory (0700) or checks the one that is there.
 *
 * @throws {@link AuditorError} (`AUDITOR_DIRECTORY`)
 */
export async function prepareDirectory(
  directory: string,
  fileSystem: Pick<LogFileSystem, "syncDirectory">,
): Promise<void> {
  const path = resolve(directory);
  const made = await mkdir(path, { recursive: true, mode: OWNER_DIRECTORY }).catch((cause) => {
    throw unsafe(path, "cannot be made", cause);
  });
  // lstat: a link is refused even if it leads to a good directory, for it could be turned later.
  const stats = await lstat(path);
  if (!stats.isDirectory()) throw unsafe(path, "is not a directory of its own");
  checkOwner(path, stats);
  if (made !== undefined) await fileSystem.syncDirectory(dirname(made));
}

/** Opens a file of the log for reading. @throws {@link AuditorError} (`AUDITOR_DIRECTORY`) */
export async function openForReading(path: string): Promise<FileHandle | undefined> {
  // Without O_NONBLOCK a FIFO in place of the log would hang whoever verifies it.
  const handle = await openChecked(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return handle;
}

async function openLog(path: string): Promise<LogFile> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
  const handle = await openChecked(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK);
  if (handle === undefined) throw unsafe(path, "vanished");
  return fileOver(handle);
}

async function openChecked(path: string, flags: number): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, flags | constants.O_NOFOLLOW, OWNER_FILE);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unsafe(path, "cannot be opened without following a link", cause);
  }
  const stats = await handle.stat();
  try {
    if (!stats.isFile()) throw unsafe(path, "is not a regular file");
    if (stats.nlink !== 1) throw unsafe(path, `has ${stats.nlink} names`);
    checkOwner(path, stats);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return handle;
}

function fileOver(handle: FileHandle): LogFile {
  return {
    size: async () => (await handle.stat()).size,
    async read(position, length) {
      const buffer = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    },
    write: async (bytes) => (await handle.write(bytes)).bytesWritten,
    truncate: (size) => handle.truncate(size),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function checkOwner(path: string, { mode, uid }: Stats): void {
  if ((mode & WRITABLE_BY_OTHERS) !== 0) throw unsafe(path, "can be written to by others");
  const self = process.geteuid?.();
  if (self !== undefined && self !== uid) throw unsafe(path, "belongs to another user");
}

function unsafe(path: string, problem: string, cause?: unknown): AuditorError {
  return new AuditorError("AUDITOR_DIRECTORY", { message: `${path} ${problem}`, cause });
}
