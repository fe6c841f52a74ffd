/**
 * @module Room on the disk that is kept for operators and defences: below it, events of plugins are
 * refused, and with them their effects, while operators can still be recorded (threat: audit-flood).
 * A file of that size holds the room against whoever else writes to the disk; it is given up when
 * the rest is gone, and made again once there is room for it.
 */
import { constants } from "node:fs";
import { open, statfs, unlink } from "node:fs/promises";

import type { Clock } from "@glovebox/core/clock";
import { refuse, type Refusal } from "@glovebox/core/decision";

import { DISK_CHECK_BYTES, DISK_CHECK_MS, DISK_RETRY_AFTER_MS } from "../limits.ts";

/** What the reserve needs of a disk. */
export interface Disk {
  /** Bytes that this user can still write. */
  freeBytes(): Promise<number>;
  /** Takes bytes away from others, durably. */
  hold(bytes: number): Promise<void>;
  /** Gives them back. */
  release(): Promise<void>;
}

/** The reserve of one log. */
export interface DiskReserve {
  /** Counts what an ordinary event takes; a refusal while only the reserve is left. */
  judge(bytes: number): Refusal | undefined;
  /** Looks at the disk now. */
  check(): Promise<void>;
}

/** What a reserve is made of; `onChange` is told when it begins and ends to refuse. */
export interface DiskReserveParts {
  readonly disk: Disk;
  readonly reserveBytes: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly onChange: (isLow: boolean, freeBytes: number) => void;
}

/** How many times the reserve must be free before it ends to refuse: no flutter at the edge. */
const RECOVERY_FACTOR = 2;
/** The part of the reserve below which the file is given up. */
const RELEASE_PART = 0.25;

/** Makes a reserve; call `check` once before its first judgement. */
export function createDiskReserve({
  disk,
  reserveBytes,
  clock,
  onChange,
}: DiskReserveParts): DiskReserve {
  let isLow = false;
  let isHolding = false;
  let uncheckedBytes = 0;
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let checking: Promise<void> | undefined;

  async function look(): Promise<void> {
    if (reserveBytes === 0) return;
    let free = await disk.freeBytes();
    // Also what is no number: it is not known to be enough.
    if (!isLow && !(free >= reserveBytes)) turn(true, free);
    if (isHolding && free < reserveBytes * RELEASE_PART) {
      await disk.release();
      isHolding = false;
      free = await disk.freeBytes();
    }
    if (isLow && free >= reserveBytes * RECOVERY_FACTOR) turn(false, free);
    if (!isHolding && !isLow && free >= reserveBytes * RECOVERY_FACTOR) {
      await disk.hold(reserveBytes);
      isHolding = true;
    }
  }

  function turn(low: boolean, free: number): void {
    isLow = low;
    onChange(low, Number.isFinite(free) ? free : 0);
  }

  const check = (): Promise<void> => {
    uncheckedBytes = 0;
    checkedAtMs = clock.monotonicMs();
    // A disk that cannot be asked is one that cannot be trusted to take anything (I9).
    checking ??= look()
      .catch(() => turn(true, 0))
      .finally(() => (checking = undefined));
    return checking;
  };

  return {
    check,
    judge(bytes) {
      uncheckedBytes += bytes;
      const isDue =
        uncheckedBytes >= DISK_CHECK_BYTES || clock.monotonicMs() - checkedAtMs >= DISK_CHECK_MS;
      if (isDue && checking === undefined) void check();
      if (!isLow) return undefined;
      const reason = `less than ${reserveBytes} bytes are free, which are kept for operators`;
      return refuse("AUDITOR_DISK_RESERVED", "audit.disk", reason, DISK_RETRY_AFTER_MS);
    },
  };
}

/** The disk beneath a directory; `file` holds the room. */
export function diskOf(directory: string, file: string): Disk {
  return {
    async freeBytes() {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize;
    },
    async hold(bytes) {
      const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;
      await using handle = await open(file, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
      if ((await handle.stat()).size === bytes) return;
      const zeros = Buffer.alloc(1_048_576);
      // Written and not only sized: a hole takes no room from anybody.
      for (let at = 0; at < bytes; at += zeros.length) {
        await handle.write(zeros, 0, Math.min(zeros.length, bytes - at), at);
      }
      await handle.datasync();
    },
    release: () => unlink(file).catch(() => undefined),
  };
}
