/**
 * @module What is told of an object, and times in the file system's unit. A host's inode numbers are
 * not told: `id` is a keyed hash, so that two names of one object can be compared and nothing else.
 */
import { createHmac } from "node:crypto";
import type { Stats } from "node:fs";

import type { FileStat, FileTimes } from "@glovebox/core/ports";

import { fileError } from "./condition.ts";

/** Describes an object. */
export type Describe = (stats: Stats) => FileStat;

/** Under a key, without which an id says nothing. */
export function createDescribe(key: Uint8Array): Describe {
  return (stats) => ({
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "link",
    // A folder's size would tell of names that are not shown.
    size: stats.isDirectory() ? 0 : stats.size,
    accessedMs: stats.atimeMs,
    modifiedMs: stats.mtimeMs,
    changedMs: stats.ctimeMs,
    id: createHmac("sha256", key).update(`${stats.dev}:${stats.ino}`).digest().readBigUInt64LE(),
    links: stats.isDirectory() ? 1 : stats.nlink,
  });
}

/**
 * Throws unless every time that is given is a number.
 *
 * @throws {@link BrokerError} (`BROKER_FILE_RANGE`)
 */
export function assertTimes({ accessedMs = 0, modifiedMs = 0 }: FileTimes): void {
  if (!Number.isFinite(accessedMs) || !Number.isFinite(modifiedMs))
    throw fileError("BROKER_FILE_RANGE", "a time is no number");
}

/** Seconds for `utimes`; what is not given stays as it is. */
export function secondsOf(
  { accessedMs, modifiedMs }: FileTimes,
  now: Stats,
): { readonly accessed: number; readonly modified: number } {
  return {
    accessed: (accessedMs ?? now.atimeMs) / 1000,
    modified: (modifiedMs ?? now.mtimeMs) / 1000,
  };
}
