/**
 * @module File descriptors that are always closed, and the file system's errors as codes. Numbers
 * and not `FileHandle` objects: those close themselves when collected, at a time nobody chose.
 */
import * as fs from "node:fs";
import { promisify } from "node:util";

import { BrokerError } from "../errors.ts";
import { FILE_SYSTEM_ANSWERS, fileError } from "./condition.ts";

/** The calls that this folder uses, on descriptors. */
export const calls = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  fstat: promisify(fs.fstat) as (fd: number) => Promise<fs.Stats>,
  lstat: promisify(fs.lstat) as (path: string) => Promise<fs.Stats>,
  read: promisify(fs.read) as (
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ bytesRead: number }>,
  write: promisify(fs.write) as (
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ) => Promise<{ bytesWritten: number }>,
  ftruncate: promisify(fs.ftruncate),
  fsync: promisify(fs.fsync),
  futimes: promisify(fs.futimes),
  utimes: promisify(fs.utimes),
  unlink: promisify(fs.unlink),
  rmdir: promisify(fs.rmdir) as (path: string) => Promise<void>,
  mkdir: promisify(fs.mkdir) as (path: string, mode: number) => Promise<void>,
  rename: promisify(fs.rename),
  opendir: promisify(fs.opendir) as (path: string) => Promise<fs.Dir>,
};

/** An open descriptor, closed at the end of its block. */
export interface Descriptor extends AsyncDisposable {
  readonly fd: number;
}

/** Opens, or rejects with a coded error. */
export async function openDescriptor(path: string, flags: number, mode = 0): Promise<Descriptor> {
  const fd = await calls.open(path, flags, mode).catch(rethrowCoded);
  return { fd, [Symbol.asyncDispose]: () => calls.close(fd) };
}

/** Throws the error again, with a code of this package and its condition. */
export function rethrowCoded(error: unknown): never {
  if (error instanceof BrokerError) throw error;
  const raw: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  // ENXIO: a special file that has no device.
  const answer = FILE_SYSTEM_ANSWERS.get(raw === "ENXIO" ? "ENOTSUP" : String(raw));
  const { code, condition } = answer ?? { code: "BROKER_FILE_IO", condition: "EIO" };
  throw fileError(code, `the file system answered ${String(raw)}`, condition, error);
}
