import { tilePath } from "@glovebox/tlog/tiles";
/** @module A tree that was grown entry by entry, with its tiles kept in memory. */
import { TreeBuilder } from "@glovebox/tlog/tree";

export interface GrownTree {
  readonly builder: TreeBuilder;
  readonly tiles: Map<string, Uint8Array>;
  readonly entries: readonly Buffer[];
}

export function entryOf(index: number): Buffer {
  return Buffer.from(index % 7 === 0 ? "" : `entry ${index}`);
}

export function grow(size: number): GrownTree {
  const tiles = new Map<string, Uint8Array>();
  const builder = new TreeBuilder(({ level, index, bytes }) =>
    tiles.set(tilePath(level, index), bytes),
  );
  const entries: Buffer[] = [];
  for (let index = 0; index < size; index += 1) {
    const entry = entryOf(index);
    entries.push(entry);
    const padded = Buffer.concat([Buffer.of(0xee), entry]);
    builder.append(padded, 1, padded.length);
    if (padded[0] !== 0xee) throw new Error("the lent byte was not given back");
  }
  for (const { level, index, width, bytes } of builder.partialTiles()) {
    tiles.set(tilePath(level, index, width), bytes);
  }
  return { builder, tiles, entries };
}

export function sourceOf({ tiles }: GrownTree) {
  return async ({
    level,
    index,
    width,
  }: {
    level: number;
    index: number;
    width: number;
  }): Promise<Uint8Array> => {
    const tile = tiles.get(tilePath(level, index, width));
    if (tile === undefined) throw new Error(`no tile ${tilePath(level, index, width)}`);
    return tile;
  };
}
