/**
 * @module Going through a log from its minimum index to its checkpoint: every entry is hashed, the
 * tree is grown from the entries alone, and every tile on disk must be the one that grew. What is
 * found first is named by the index at which it shows. Memory is one bundle and a tile per level.
 */
import { splitBundle, TILE_WIDTH, tilePath, widthAtLevel } from "@glovebox/tlog/tiles";
import { type GrownTile, TreeBuilder } from "@glovebox/tlog/tree";

import type { LogFileSystem } from "../log/file-system.ts";
import { readTile } from "../log/tile-files.ts";

const HASH_BYTES = 32;

/** Something that is not as the log wrote it. */
export interface Finding {
  readonly kind: "INVALID" | "MISSING" | "DIVERGED";
  readonly index: number;
  /** For the operator. */
  readonly reason: string;
}

/** A tree that the log must have had. */
export interface KnownTree {
  readonly size: number;
  readonly root: Uint8Array;
}

/** What is walked. */
export interface WalkParts {
  readonly fileSystem: Pick<LogFileSystem, "open">;
  readonly directory: string;
  readonly minimumIndex: number;
  /** The tree of the published checkpoint. */
  readonly tree: KnownTree;
  /** Trees that the log must have had on its way there. */
  readonly anchors: readonly KnownTree[];
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

/** Answers the first finding, or `undefined` for a whole log. */
export async function walkTree(parts: WalkParts): Promise<Finding | undefined> {
  const { minimumIndex, tree, anchors, onProgress } = parts;
  const grown: GrownTile[] = [];
  const builder = new TreeBuilder((tile) => grown.push(tile));
  const start = await restoreAt(parts, builder);
  if (start !== undefined) return start;
  const checkAnchors = (): Finding | undefined => divergence(anchors, builder);
  let found = checkAnchors();
  for (let index = minimumIndex; index < tree.size && found === undefined; index = builder.size) {
    found = await walkBundle(parts, builder, index, checkAnchors);
    for (const tile of grown.splice(0)) found ??= await compareTile(parts, tile);
    onProgress?.(builder.size - minimumIndex, tree.size - minimumIndex);
  }
  for (const tile of builder.partialTiles()) {
    if (found === undefined) found = await compareTile(parts, tile);
  }
  if (found !== undefined) return found;
  if (Buffer.compare(builder.root(), tree.root) === 0) return undefined;
  return {
    kind: "INVALID",
    index: minimumIndex,
    reason: "the tree is another than the signed one",
  };
}

/** The tree at the minimum index, from the hashes that pruning leaves. */
async function restoreAt(
  { fileSystem, directory, minimumIndex, tree }: WalkParts,
  builder: TreeBuilder,
): Promise<Finding | undefined> {
  const hashes = new Map<number, Buffer>();
  for (let level = 0; TILE_WIDTH ** level <= minimumIndex; level += 1) {
    const width = widthAtLevel(minimumIndex, level);
    const index = Math.floor(minimumIndex / TILE_WIDTH ** (level + 1));
    if (width === 0) continue;
    const isFull = (index + 1) * TILE_WIDTH ** (level + 1) <= tree.size;
    const place = { level, index, width: isFull ? TILE_WIDTH : widthAtLevel(tree.size, level) };
    const tile = await readTile(fileSystem, directory, place);
    if (tile === undefined || tile.length < width * HASH_BYTES) {
      return {
        kind: "MISSING",
        index: minimumIndex,
        reason: `${tilePath(level, index)} is missing`,
      };
    }
    hashes.set(level, tile.subarray(0, width * HASH_BYTES));
  }
  builder.restore(minimumIndex, (level) => hashes.get(level) ?? Buffer.alloc(0));
  return undefined;
}

async function walkBundle(
  { fileSystem, directory, tree, anchors }: WalkParts,
  builder: TreeBuilder,
  start: number,
  checkAnchors: () => Finding | undefined,
): Promise<Finding | undefined> {
  const index = Math.floor(start / TILE_WIDTH);
  const width = Math.min(TILE_WIDTH, tree.size - start);
  const path = tilePath("entries", index, width);
  const bytes = await readTile(fileSystem, directory, { level: "entries", index, width });
  if (bytes === undefined) return { kind: "MISSING", index: start, reason: `${path} is missing` };
  const tile = await readTile(fileSystem, directory, { level: 0, index, width });
  if (tile === undefined)
    return { kind: "MISSING", index: start, reason: `${tilePath(0, index, width)} is missing` };
  let offset = 0;
  for (let at = 0; at < width; at += 1) {
    const entry = offset + 2;
    const length = (bytes[offset] ?? 0) * 256 + (bytes[offset + 1] ?? 0);
    if (offset === bytes.length)
      return { kind: "MISSING", index: start + at, reason: `${path} ends before its entries do` };
    if (entry + length > bytes.length)
      return { kind: "INVALID", index: start + at, reason: `${path} is cut within an entry` };
    builder.append(bytes, entry, entry + length);
    offset = entry + length;
    if (!hasHash(builder, tile, at))
      return { kind: "INVALID", index: start + at, reason: "the entry or its hash was changed" };
    if (anchors.some(({ size }) => size === builder.size)) {
      const found = checkAnchors();
      if (found !== undefined) return found;
    }
  }
  // A partial bundle whose place a full one has taken goes on.
  const isWhole =
    offset === bytes.length || (width < TILE_WIDTH && splitBundle(bytes, TILE_WIDTH).allowed);
  return isWhole
    ? undefined
    : { kind: "INVALID", index: start + width - 1, reason: `${path} goes on after its entries` };
}

/** Whether the hash that was just appended is the tile's. */
function hasHash(builder: TreeBuilder, tile: Buffer, at: number): boolean {
  return builder.lastLeaf() === tile.toString("latin1", at * HASH_BYTES, (at + 1) * HASH_BYTES);
}

async function compareTile(
  { fileSystem, directory }: WalkParts,
  grown: GrownTile,
): Promise<Finding | undefined> {
  const { level, index, width, bytes } = grown;
  if (level === 0) return undefined;
  const path = tilePath(level, index, width);
  const span = TILE_WIDTH ** level;
  const tile = await readTile(fileSystem, directory, grown);
  if (tile === undefined)
    return { kind: "MISSING", index: index * TILE_WIDTH * span, reason: `${path} is missing` };
  for (let at = 0; at < width; at += 1) {
    const [start, end] = [at * HASH_BYTES, (at + 1) * HASH_BYTES];
    if (tile.compare(bytes, start, end, start, end) === 0) continue;
    return {
      kind: "INVALID",
      index: (index * TILE_WIDTH + at) * span,
      reason: `${path} holds another hash`,
    };
  }
  return tile.length === width * HASH_BYTES
    ? undefined
    : { kind: "INVALID", index: index * TILE_WIDTH * span, reason: `${path} has another length` };
}

function divergence(anchors: readonly KnownTree[], builder: TreeBuilder): Finding | undefined {
  const other = anchors.find(
    ({ size, root }) => size === builder.size && Buffer.compare(builder.root(), root) !== 0,
  );
  if (other === undefined) return undefined;
  const index = Math.max(0, other.size - 1);
  return {
    kind: "DIVERGED",
    index,
    reason: `at size ${other.size} the log is not the one that was anchored`,
  };
}
