/** @module Reading entries back: from full bundles on disk, and the last ones from memory. */
import { splitBundle, TILE_WIDTH } from "@glovebox/tlog/tiles";

import { AuditorError } from "../errors.ts";
import type { LogFileSystem } from "./file-system.ts";
import type { LogTree } from "./log-tree.ts";
import type { StoredEntry } from "./log.ts";
import { readTile, type TileFiles } from "./tile-files.ts";

/** What reading needs of an open log. */
export interface ReadParts {
  readonly fileSystem: LogFileSystem;
  readonly directory: string;
  readonly tree: LogTree;
  readonly tiles: TileFiles;
}

/** Entries from `from` to before `to`, all of them durable. */
export async function* readEntries(
  parts: ReadParts,
  from: number,
  to: number,
): AsyncGenerator<StoredEntry> {
  for (let index = from; index < to;) {
    const bundle = Math.floor(index / TILE_WIDTH);
    const start = bundle * TILE_WIDTH;
    const end = Math.min(to, start + TILE_WIDTH);
    const { bytes, count } = await readBundle(parts, bundle);
    const offsets = splitBundle(bytes, count);
    if (!offsets.allowed || count < end - start) {
      throw new AuditorError("AUDITOR_LOG_INVALID", { message: `bundle ${bundle} is damaged` });
    }
    for (; index < end; index += 1) {
      const at = index - start;
      yield { index, bytes: bytes.subarray(offsets.value[at], (offsets.value[at + 1] ?? 0) - 2) };
    }
  }
}

async function readBundle(
  { fileSystem, directory, tree, tiles }: ReadParts,
  bundle: number,
): Promise<{ readonly bytes: Buffer; readonly count: number }> {
  if (bundle * TILE_WIDTH === tree.bundleStart) {
    return { bytes: Buffer.from(tree.bundle), count: tree.size - tree.bundleStart };
  }
  // It may have filled a moment ago.
  await tiles.idle();
  const bytes = await readTile(fileSystem, directory, {
    level: "entries",
    index: bundle,
    width: TILE_WIDTH,
  });
  if (bytes === undefined) {
    throw new AuditorError("AUDITOR_LOG_INVALID", { message: `bundle ${bundle} is missing` });
  }
  return { bytes, count: TILE_WIDTH };
}
