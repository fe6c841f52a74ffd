/** @module Flags of descriptors (witx, `fdflags`). */
import { ERRNO, fail } from "./errno.ts";

/** The bits. */
export const FD_FLAG = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 } as const;

/** Flags whose writes reach the disk before the call returns. */
export const SYNC_FLAGS: number = FD_FLAG.DSYNC | FD_FLAG.RSYNC | FD_FLAG.SYNC;

const ALL_FLAGS = 31;

/** The flags, when there are such. */
export function checkFlags(flags: number): number {
  return (flags & ~ALL_FLAGS) === 0 ? flags : fail(ERRNO.INVAL);
}
