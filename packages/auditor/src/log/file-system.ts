/**
 * @module The file system beneath a log, as the few operations that it needs. It comes in as a
 * dependency because what matters is what happens when one of them fails, or when the power goes
 * between two of them. Links, FIFOs, second names and files that others may write to are refused:
 * whoever can put one there could redirect the log or change it from elsewhere (CWE-59, CWE-732).
 */
import fs, { constants, type Stats } from "node:fs";
import { lstat, mkdir, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { AuditorError } from "../errors.ts";
import { MAX_DIRECT_WRITE_BYTES } from "../limits.ts";

const OWNER_DIRECTORY = 0o700;
const OWNER_FILE = 0o600;
/** Full tiles never change. */
const OWNER_READ_ONLY = 0o400;
const WRITABLE_BY_OTHERS = 0o022;

/** An open file. */
export interface LogFile {
  size(): Promise<number>;
  /** Bytes from `position`; fewer than `length` only at the end. They lie in `into`, if it is given. */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  /** Writes at `position`; answers how many bytes were taken, which may be fewer. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Returns when the data is on the disk (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `read` answers `undefined` for a file that is not there; `update`, which reads and writes, and
 * `replace` make it; `create` makes it read-only and fails where it exists.
 */
export type OpenMode = "read" | "update" | "replace" | "create";

/** What a log needs of a file system. Paths are absolute. */
export interface LogFileSystem {
  open(path: string, mode: OpenMode): Promise<LogFile | undefined>;
  /**
   * Whether a file is there and holds exactly these bytes. For recovery, which asks of thousands of
   * small files before anything else runs: it may block.
   */
  holds(path: string, bytes: Uint8Array): boolean;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a directory with all that is in it; what is not there is no error. */
  remove(path: string): Promise<void>;
  /** Names in a directory; none if it is not there. */
  list(path: string): Promise<readonly string[]>;
  /** Makes a directory with its parents, each 0700. Answers the first that was made, if any. */
  makeDirectory(path: string): Promise<string | undefined>;
  /** Makes the names in a directory durable (fsync). */
  syncDirectory(path: string): Promise<void>;
}

/** The machine's file system. */
export const nodeFileSystem: LogFileSystem = Object.freeze({
  open: openChecked,
  holds,
  rename: (from: string, to: string) => call<void>((done) => fs.rename(from, to, done)),
  remove,
  list: (path: string) => readdir(path).catch(noneIfMissing),
  makeDirectory: (path: string) => mkdir(path, { recursive: true, mode: OWNER_DIRECTORY }),
  syncDirectory,
});

/**
 * Makes the log's directory (0700) or checks the one that is there, with every directory in it.
 *
 * @throws {@link AuditorError} (`AUDITOR_DIRECTORY`)
 */
export async function prepareDirectory(
  path: string,
  fileSystem: Pick<LogFileSystem, "makeDirectory" | "syncDirectory">,
): Promise<void> {
  const made = await fileSystem.makeDirectory(path).catch((cause: unknown) => {
    throw unsafe(path, "cannot be made", cause);
  });
  if (made === undefined) return;
  // Each new name is in the directory above it.
  for (let at = path; at !== dirname(made); at = dirname(at)) {
    await fileSystem.syncDirectory(dirname(at));
  }
}

/**
 * Refuses a directory, or something in it, that is a link, has a second name, or may be written to by
 * others. Tiles are many, and are checked when they are opened.
 */
export async function checkDirectories(path: string): Promise<void> {
  // lstat: a link is refused even if it leads to a good directory, for it could be turned later.
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isDirectory() !== true) throw unsafe(path, "is not a directory of its own");
  checkOwner(path, stats);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await checkDirectories(inner);
    else if (!entry.isFile()) throw unsafe(inner, "is neither a file nor a directory");
    else if (!inner.includes("/tile/")) {
      const found = await lstat(inner).catch(() => undefined);
      if (found !== undefined) checkRegular(inner, found);
    }
  }
}

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR | constants.O_CREAT,
  replace: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
};

/** A file that is replaced again and again is opened so many times before it is refused. */
const MAX_REPLACED = 100;

async function openChecked(path: string, mode: OpenMode): Promise<LogFile | undefined> {
  for (let replaced = 0; ; replaced += 1) {
    const descriptor = await openOnce(path, mode);
    if (descriptor === undefined) return undefined;
    // A file that was just made has one name and this owner.
    if (mode === "create") return fileOver(descriptor);
    const stats = fs.fstatSync(descriptor);
    // A reader can come between the opening of a checkpoint and its replacement by the writer.
    if (mode === "read" && stats.nlink === 0 && replaced < MAX_REPLACED) {
      fs.closeSync(descriptor);
      continue;
    }
    checkOrClose(path, descriptor, stats);
    return fileOver(descriptor);
  }
}

async function openOnce(path: string, mode: OpenMode): Promise<number | undefined> {
  // Without O_NONBLOCK a FIFO in place of the log would hang whoever opens it.
  const flags = FLAGS[mode] | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const permissions = mode === "create" ? OWNER_READ_ONLY : OWNER_FILE;
  try {
    return await call<number>((done) => fs.open(path, flags, permissions, done));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (mode === "read" && code === "ENOENT") return undefined;
    // What is wrong with the disk is not wrong with the directory.
    if (code !== "ELOOP" && code !== "ENXIO" && code !== "EISDIR" && code !== "ENOTDIR")
      throw cause;
    throw unsafe(path, "cannot be opened without following a link", cause);
  }
}

function checkOrClose(path: string, descriptor: number, stats: Stats): void {
  try {
    checkRegular(path, stats);
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

/** `rm` of Node.js looks at everything several times, and directories of partial tiles are many. */
async function remove(path: string): Promise<void> {
  try {
    await call<void>((done) => fs.unlink(path, done));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    // What unlink(2) says of a directory; EPERM by POSIX.
    if (code !== "EISDIR" && code !== "EPERM") throw error;
    const names = await call<string[]>((done) => fs.readdir(path, done));
    await Promise.all(names.map((name) => remove(join(path, name))));
    await call<void>((done) => fs.rmdir(path, done));
  }
}

/** One buffer for all, as large as the largest file that was asked about. */
let compared: Buffer = Buffer.alloc(0);

function holds(path: string, bytes: Uint8Array): boolean {
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, FLAGS.read | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    const stats = fs.fstatSync(descriptor);
    checkRegular(path, stats);
    if (stats.size !== bytes.length) return false;
    if (compared.length < bytes.length) compared = Buffer.allocUnsafeSlow(bytes.length);
    const read = fs.readSync(descriptor, compared, 0, bytes.length, 0);
    // A short read is no match, and then the file is written again.
    return read === bytes.length && compared.compare(bytes, 0, read, 0, read) === 0;
  } finally {
    fs.closeSync(descriptor);
  }
}

function checkRegular(path: string, stats: Stats): void {
  if (!stats.isFile()) throw unsafe(path, "is not a regular file");
  if (stats.nlink !== 1) throw unsafe(path, `has ${stats.nlink} names`);
  checkOwner(path, stats);
}

/**
 * What the kernel answers from memory is asked without a thread: the way to one and back costs more,
 * and must wait while all of them sync.
 */
function fileOver(descriptor: number): LogFile {
  return {
    size: async () => fs.fstatSync(descriptor).size,
    async read(position, length, buffer = Buffer.allocUnsafeSlow(length)) {
      let filled = 0;
      while (filled < length) {
        const from = filled;
        const taken = await call<number>((done) =>
          fs.read(descriptor, buffer, from, length - from, position + from, done),
        );
        if (taken === 0) break;
        filled += taken;
      }
      return buffer.subarray(0, filled);
    },
    write: async (bytes, position) =>
      bytes.length <= MAX_DIRECT_WRITE_BYTES
        ? fs.writeSync(descriptor, bytes, 0, bytes.length, position)
        : call<number>((done) =>
            fs.write(descriptor, bytes, 0, bytes.length, position, (error, taken) =>
              done(error, taken),
            ),
          ),
    truncate: (size) => call<void>((done) => fs.ftruncate(descriptor, size, done)),
    sync: () => call<void>((done) => fs.fdatasync(descriptor, done)),
    close: async () => fs.closeSync(descriptor),
  };
}

async function syncDirectory(path: string): Promise<void> {
  const descriptor = await call<number>((done) => fs.open(path, constants.O_RDONLY, done));
  try {
    await call<void>((done) => fs.fsync(descriptor, done));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** node:fs/promises costs several times as much for each of these small calls. */
function call<T>(
  run: (done: (error: NodeJS.ErrnoException | null, value?: T) => void) => void,
): Promise<T> {
  return new Promise((resolvePromise, reject) => {
    run((error, value) => (error === null ? resolvePromise(value as T) : reject(error)));
  });
}

function checkOwner(path: string, { mode, uid }: Stats): void {
  if ((mode & WRITABLE_BY_OTHERS) !== 0) throw unsafe(path, "can be written to by others");
  const self = process.geteuid?.();
  if (self !== undefined && self !== uid) throw unsafe(path, "belongs to another user");
}

function noneIfMissing(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

function unsafe(path: string, problem: string, cause?: unknown): AuditorError {
  return new AuditorError("AUDITOR_DIRECTORY", { message: `${resolve(path)} ${problem}`, cause });
}
