/**
 * @module A tree that grows at its right edge. It keeps the roots of the complete subtrees there (one
 * for each one bit of its size) and the unfinished tile of each level, so that an entry costs one
 * leaf hash and, on average, one node hash, and a tree of any size fits in a few tiles.
 */
import { TlogError } from "../errors/tlog-error.ts";
import { TILE_HEIGHT, TILE_WIDTH, widthAtLevel } from "../tiles/tile-path.ts";
import { EMPTY_ROOT, HASH_BYTES, leafHashInPlace, nodeHashLatin1 } from "./hash.ts";

/** A tile as the tree makes it; `bytes` is the receiver's own. */
export interface GrownTile {
  readonly level: number;
  readonly index: number;
  /** 1–256 hashes. */
  readonly width: number;
  readonly bytes: Buffer;
}

/** The unfinished tile of one level. */
interface Edge {
  /** Full tiles before it. */
  index: number;
  width: number;
  bytes: Buffer;
}

/** The growing tree. */
export class TreeBuilder {
  #size = 0;
  /** Roots of complete subtrees by height, as latin1; valid where the size has a one bit. */
  readonly #roots: string[] = [];
  readonly #edges: Edge[] = [];
  #lastLeaf = "";
  readonly #onFullTile: (tile: GrownTile) => void;

  /** `onFullTile` is told of each tile in the order in which they fill, lower levels first. */
  constructor(onFullTile: (tile: GrownTile) => void) {
    this.#onFullTile = onFullTile;
  }

  /** Entries in the tree. */
  get size(): number {
    return this.#size;
  }

  /** Appends the entry in `bytes[start, end)`; the byte before the entry is lent for hashing and given back. */
  append(bytes: Buffer, start: number, end: number): void {
    this.#appendHash(leafHashInPlace(bytes, start, end));
  }

  /** Appends an entry by its leaf hash. */
  appendLeafHash(leaf: Uint8Array): void {
    this.#appendHash(Buffer.from(leaf).toString("latin1"));
  }

  #appendHash(leaf: string): void {
    let root = leaf;
    let height = 0;
    this.#lastLeaf = leaf;
    this.#place(0, root);
    // Each one bit at the low end of the size is a complete left sibling.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      root = nodeHashLatin1(this.#roots[height] ?? "", root);
      height += 1;
      if (height % TILE_HEIGHT === 0) this.#place(height / TILE_HEIGHT, root);
    }
    this.#roots[height] = root;
    this.#size += 1;
  }

  #place(level: number, hash: string): void {
    const edge = (this.#edges[level] ??= { index: 0, width: 0, bytes: newTile() });
    edge.bytes.write(hash, edge.width * HASH_BYTES, HASH_BYTES, "latin1");
    edge.width += 1;
    if (edge.width < TILE_WIDTH) return;
    const { index, bytes } = edge;
    this.#edges[level] = { index: index + 1, width: 0, bytes: newTile() };
    this.#onFullTile({ level, index, width: TILE_WIDTH, bytes });
  }

  /** Hash of the entry that was appended last, as latin1; empty before the first. */
  lastLeaf(): string {
    return this.#lastLeaf;
  }

  /** Root of the whole tree; 32 bytes of the caller's own. */
  root(): Buffer {
    let root: string | undefined;
    let height = 0;
    for (let rest = this.#size; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) {
        const left = this.#roots[height] ?? "";
        root = root === undefined ? left : nodeHashLatin1(left, root);
      }
      height += 1;
    }
    return root === undefined ? Buffer.from(EMPTY_ROOT, "hex") : Buffer.from(root, "latin1");
  }

  /** Copies of the unfinished tiles, one for each level that has one. */
  partialTiles(): readonly GrownTile[] {
    return this.#edges.flatMap(({ index, width, bytes }, level) =>
      width === 0
        ? []
        : [{ level, index, width, bytes: Buffer.from(bytes.subarray(0, width * HASH_BYTES)) }],
    );
  }

  /**
   * Makes the tree of `size` entries again from the hashes of its unfinished tiles, as
   * {@link TreeBuilder.partialTiles} gave them: `tileOf(level, index, width)` for each.
   *
   * @throws {@link TlogError} (`TLOG_OPTION`) for a tile of another length.
   */
  restore(size: number, tileOf: (level: number, index: number, width: number) => Uint8Array): void {
    this.#size = size;
    this.#roots.length = 0;
    this.#edges.length = 0;
    for (let level = 0; TILE_WIDTH ** level <= size; level += 1) {
      const index = Math.floor(size / TILE_WIDTH ** (level + 1));
      const width = widthAtLevel(size, level);
      const bytes = newTile();
      this.#edges[level] = { index, width, bytes };
      if (width === 0) continue;
      const hashes = tileOf(level, index, width);
      if (hashes.length !== width * HASH_BYTES) {
        const message = `tile ${level}/${index} has ${hashes.length} bytes for ${width} hashes`;
        throw new TlogError("TLOG_OPTION", { message });
      }
      bytes.set(hashes);
      this.#restoreRoots(level, width, bytes);
    }
  }

  /** The one bits of a tile's width are the complete subtrees within it. */
  #restoreRoots(level: number, width: number, bytes: Buffer): void {
    let start = 0;
    for (let bit = TILE_HEIGHT - 1; bit >= 0; bit -= 1) {
      const count = 2 ** bit;
      if ((width & count) === 0) continue;
      let hashes: string[] = [];
      for (let at = start; at < start + count; at += 1) {
        hashes.push(bytes.toString("latin1", at * HASH_BYTES, (at + 1) * HASH_BYTES));
      }
      while (hashes.length > 1) hashes = pairs(hashes);
      this.#roots[level * TILE_HEIGHT + bit] = hashes[0] ?? "";
      start += count;
    }
  }
}

function pairs(hashes: readonly string[]): string[] {
  const parents: string[] = [];
  for (let at = 0; at < hashes.length; at += 2) {
    parents.push(nodeHashLatin1(hashes[at] ?? "", hashes[at + 1] ?? ""));
  }
  return parents;
}

function newTile(): Buffer {
  return Buffer.allocUnsafeSlow(TILE_WIDTH * HASH_BYTES);
}
