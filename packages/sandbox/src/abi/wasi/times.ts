/** @module Which times a call sets (witx, `fstflags`). */
import { ERRNO, fail } from "./errno.ts";
import type { NewTimes } from "./file-client.ts";

const FLAG = { ACCESSED: 1, ACCESSED_NOW: 2, MODIFIED: 4, MODIFIED_NOW: 8 } as const;
const ALL_FLAGS = 15;

/** The times, in nanoseconds; a time and the present at once is a mistake. */
export function newTimes(accessed: bigint, modified: bigint, flags: number, now: bigint): NewTimes {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const isContradiction =
    (has(FLAG.ACCESSED) && has(FLAG.ACCESSED_NOW)) ||
    (has(FLAG.MODIFIED) && has(FLAG.MODIFIED_NOW));
  if (isContradiction || (flags & ~ALL_FLAGS) !== 0) fail(ERRNO.INVAL);
  return {
    accessedNs: has(FLAG.ACCESSED_NOW) ? now : has(FLAG.ACCESSED) ? accessed : undefined,
    modifiedNs: has(FLAG.MODIFIED_NOW) ? now : has(FLAG.MODIFIED) ? modified : undefined,
  };
}
