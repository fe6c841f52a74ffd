/**
 * @module Errors of WASI preview 1 (wasi_snapshot_preview1.witx, `errno`), and which of them a file
 * condition becomes.
 */
import type { FileCondition } from "@glovebox/core/ports";

/** The numbers that are used here. */
export const ERRNO = {
  SUCCESS: 0,
  ACCES: 2,
  BADF: 8,
  BUSY: 10,
  CANCELED: 11,
  DQUOT: 19,
  EXIST: 20,
  FAULT: 21,
  FBIG: 22,
  ILSEQ: 25,
  INVAL: 28,
  IO: 29,
  ISDIR: 31,
  LOOP: 32,
  MFILE: 33,
  MLINK: 34,
  NAMETOOLONG: 37,
  NOENT: 44,
  NOSPC: 51,
  NOTDIR: 54,
  NOTEMPTY: 55,
  NOTSOCK: 57,
  NOTSUP: 58,
  OVERFLOW: 61,
  PERM: 63,
  PIPE: 64,
  ROFS: 69,
  SPIPE: 70,
  XDEV: 75,
  NOTCAPABLE: 76,
} as const;

/** One of the numbers. */
export type Errno = (typeof ERRNO)[keyof typeof ERRNO];

/** What the file port says, in WASI's terms. */
export const ERRNO_OF_CONDITION: Readonly<Record<FileCondition, Errno>> = {
  EACCES: ERRNO.ACCES,
  EBADF: ERRNO.BADF,
  EBUSY: ERRNO.BUSY,
  ECANCELED: ERRNO.CANCELED,
  EDQUOT: ERRNO.DQUOT,
  EEXIST: ERRNO.EXIST,
  EFBIG: ERRNO.FBIG,
  EINVAL: ERRNO.INVAL,
  EIO: ERRNO.IO,
  EISDIR: ERRNO.ISDIR,
  ELOOP: ERRNO.LOOP,
  EMFILE: ERRNO.MFILE,
  EMLINK: ERRNO.MLINK,
  ENAMETOOLONG: ERRNO.NAMETOOLONG,
  ENOENT: ERRNO.NOENT,
  ENOSPC: ERRNO.NOSPC,
  ENOTDIR: ERRNO.NOTDIR,
  ENOTEMPTY: ERRNO.NOTEMPTY,
  ENOTSUP: ERRNO.NOTSUP,
  EPERM: ERRNO.PERM,
  EROFS: ERRNO.ROFS,
  EXDEV: ERRNO.XDEV,
};

/** A call that failed, on its way to the number that the plugin gets. */
export class WasiError extends Error {
  readonly errno: Errno;

  constructor(errno: Errno) {
    super(`WASI error ${errno}`);
    this.errno = errno;
  }
}

/** Fails the call. */
export function fail(errno: Errno): never {
  throw new WasiError(errno);
}
