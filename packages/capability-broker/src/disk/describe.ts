/**
 * @module What is told of an object. A host's inode numbers are not told: `id` is a keyed hash, so that two names of one object can be compared and nothing else.
 */
import { createHmac } from "node:crypto";
import type { BigIntStats } from "node:fs";

import type { FileStat } from "@glovebox/core/ports";

/** Describes an object. */
export type Describe = (stats: BigIntStats) => FileStat;

/** Under a key, without which an id says nothing. */
export function createDescribe(key: Uint8Array): Describe {
  return (stats) => ({
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "link",
    // A folder's size would tell of names that are not shown.
    size: stats.isDirectory() ? 0 : Number(stats.size),
    accessedMs: milliseconds(stats.atimeNs),
    modifiedMs: milliseconds(stats.mtimeNs),
    changedMs: milliseconds(stats.ctimeNs),
    exactNs: { accessed: stats.atimeNs, modified: stats.mtimeNs, changed: stats.ctimeNs },
    id: createHmac("sha256", key).update(`${stats.dev}:${stats.ino}`).digest().readBigUInt64LE(),
    links: stats.isDirectory() ? 1 : Number(stats.nlink),
  });
}

function milliseconds(ns: bigint): number {
  return Number(ns) / 1e6;
}
