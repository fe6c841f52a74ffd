/**
 * @module Removing what lies below the minimum index (C2SP tlog-tiles): full bundles and tiles that
 * end there. Hashes that recovery needs for the unfinished tile above them stay.
 */
import { join } from "node:path";

import { TILE_WIDTH, tilePath } from "@glovebox/tlog/tiles";

import type { LogFileSystem } from "./file-system.ts";

/**
 * Removes bundles and tiles from `from` up to `minimumIndex`, multiples of 256, of a log of `size`
 * entries. May be repeated.
 */
export async function removeBelow(
  fileSystem: Pick<LogFileSystem, "remove">,
  directory: string,
  from: number,
  minimumIndex: number,
  size: number,
): Promise<void> {
  for (let index = from / TILE_WIDTH; index < minimumIndex / TILE_WIDTH; index += 1) {
    await fileSystem.remove(join(directory, tilePath("entries", index)));
  }
  for (let level = 0; TILE_WIDTH ** (level + 1) <= minimumIndex; level += 1) {
    const span = TILE_WIDTH ** (level + 1);
    // Of an unfinished tile above, the full tiles below are the only durable copy.
    const keptFrom = Math.floor(size / (span * TILE_WIDTH)) * TILE_WIDTH;
    const end = Math.min(Math.floor(minimumIndex / span), keptFrom);
    // What an earlier pruning had to keep may go now.
    const start = Math.max(0, Math.floor(from / span) - TILE_WIDTH);
    for (let index = start; index < end; index += 1) {
      await fileSystem.remove(join(directory, tilePath(level, index)));
    }
  }
}
