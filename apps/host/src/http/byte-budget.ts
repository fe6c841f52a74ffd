/**
 * @module An allowance of bytes that many requests share (CWE-770): what all of them hold at once is
 * bounded, whoever sends them and however slowly they go on.
 */

/** The bytes that are left. */
export interface ByteBudget {
  /** Takes bytes if they are left. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  /** Whether so many bytes are left. */
  has(bytes: number): boolean;
}

/** Makes a budget. */
export function createByteBudget(maxBytes: number): ByteBudget {
  let left = maxBytes;
  return {
    take(bytes) {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    give(bytes) {
      left += bytes;
    },
    has: (bytes) => bytes <= left,
  };
}
