/** @module A disk that fails: full, broken, or taking less than it was given. */
import type { DiskFaults, DiskStep, Random } from "./simulated-disk.ts";

/**
 * ENOSPC or EIO at one step of the given kinds, and short writes before it; EROFS at it and at every
 * later one, as after a remount.
 */
export function failingAt(
  at: number,
  code: "ENOSPC" | "EIO" | "EROFS",
  random: Random,
  kinds: readonly DiskStep["kind"][],
): DiskFaults {
  let steps = 0;
  return {
    takes: (_, length) => (random() < 0.5 ? Math.max(1, Math.floor(random() * length)) : length),
    onStep({ kind, path }) {
      if (!kinds.includes(kind)) return;
      steps += 1;
      if (steps === at || (code === "EROFS" && steps > at))
        throw Object.assign(new Error(`${code}: ${path}`), { code });
    },
  };
}
