/** @module An inclusion proof out of ten million entries, from tiles on disk. */
import { mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { tilePath } from "@glovebox/tlog/tiles";
import { createTileTree, type GrownTile, leafHash, TreeBuilder } from "@glovebox/tlog/tree";

import { median } from "../measure.ts";

const ENTRIES = 10_000_000;
const PROOFS = 200;

/**
 * Median milliseconds of a proof of any entry, from one tree as an open log keeps it; tiles are made
 * of hashes alone.
 */
export async function proofMs(directory: string): Promise<number> {
  const known = new Set<string>();
  const write = ({ level, index, width, bytes }: GrownTile): void => {
    const path = join(directory, tilePath(level, index, width));
    if (!known.has(dirname(path))) mkdirSync(dirname(path), { recursive: true });
    known.add(dirname(path));
    writeFileSync(path, bytes);
  };
  const builder = new TreeBuilder(write);
  const leaf = leafHash(Buffer.alloc(0));
  for (let at = 0; at < ENTRIES; at += 1) {
    // Every leaf another, without ten million hashes of entries.
    leaf[at % 4] = at & 0xff;
    builder.appendLeafHash(leaf);
  }
  builder.partialTiles().forEach(write);
  const tree = createTileTree(ENTRIES, ({ level, index: tile, width }) =>
    readFile(join(directory, tilePath(level, tile, width))),
  );
  const times: number[] = [];
  for (let at = 0; at < PROOFS; at += 1) {
    const index = Math.floor((ENTRIES / PROOFS) * (at + 0.5));
    const start = performance.now();
    await tree.proveInclusion(index);
    times.push(performance.now() - start);
  }
  return median(times);
}
