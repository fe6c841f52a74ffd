/**
 * @module Times of what a descriptor names: a file, a folder or, with O_PATH, a link itself. Set
 * through the descriptor that was looked at, so that a name which is swapped meanwhile means nothing
 * (CWE-367). To the nanosecond with a system call, else as exact as Node.js sets them.
 */
import { fstatSync, utimesSync } from "node:fs";

import type { FileTimes } from "@glovebox/core/ports";
import type { FileCalls } from "@glovebox/linux/files";

import { fileError } from "./condition.ts";

/** Sets the times that are given. */
export type SetTimes = (descriptor: number, times: FileTimes) => void;

/** With the calls, or without them with a double's precision: a quarter of a microsecond today. */
export function createSetTimes(calls: FileCalls | undefined): SetTimes {
  if (calls === undefined) return setRoundedTimes;
  return (descriptor, { accessedMs, modifiedMs, exactNs = {} }) => {
    calls.setTimes(descriptor, {
      accessedNs: nanoseconds(accessedMs, exactNs.accessed),
      modifiedNs: nanoseconds(modifiedMs, exactNs.modified),
    });
  };
}

/**
 * Throws unless every time that is given is a number.
 *
 * @throws {@link BrokerError} (`BROKER_FILE_RANGE`)
 */
export function assertTimes({ accessedMs = 0, modifiedMs = 0, exactNs = {} }: FileTimes): void {
  const { accessed = 0n, modified = 0n } = exactNs;
  if (
    !Number.isFinite(accessedMs) ||
    !Number.isFinite(modifiedMs) ||
    typeof accessed !== "bigint" ||
    typeof modified !== "bigint"
  )
    throw fileError("BROKER_FILE_RANGE", "a time is no number");
}

/** What is not given is set to what it was. */
function setRoundedTimes(descriptor: number, { accessedMs, modifiedMs }: FileTimes): void {
  const now = fstatSync(descriptor);
  const accessed = (accessedMs ?? now.atimeMs) / 1000;
  const modified = (modifiedMs ?? now.mtimeMs) / 1000;
  utimesSync(`/proc/self/fd/${descriptor}`, accessed, modified);
}

/** The exact time only says more of one that is given. */
function nanoseconds(ms: number | undefined, exact: bigint | undefined): bigint | undefined {
  if (ms === undefined || exact !== undefined) return ms === undefined ? undefined : exact;
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6));
}
