/**
 * @module Hashes and proofs from tiles: each is a handful of complete subtrees, and a complete
 * subtree lies in one tile. At most two tiles are read per level, and so a proof from ten million
 * entries reads six.
 */
import { TlogError } from "../errors/tlog-error.ts";
import { TILE_HEIGHT, TILE_WIDTH, type TilePlace, widthAtLevel } from "../tiles/tile-path.ts";
import { EMPTY_ROOT, HASH_BYTES, nodeHashLatin1, pairHashLatin1 } from "./hash.ts";

/** Gives the bytes of a tile: exactly `width` hashes. */
export type TileSource = (place: TilePlace & { readonly level: number }) => Promise<Uint8Array>;

/** A tree of `size` entries that lies in tiles. */
export interface TileTree {
  readonly size: number;
  /** Root of the tree of the first `size` entries; not more than the whole tree. */
  rootAt(size: number): Promise<Buffer>;
  /** RFC 6962 section 2.1.1; for a tree of `size` entries, by default the whole one. */
  proveInclusion(index: number, size?: number): Promise<readonly Buffer[]>;
  /** RFC 6962 section 2.1.2; from `oldSize` to `size`, by default the whole tree. */
  proveConsistency(oldSize: number, size?: number): Promise<readonly Buffer[]>;
}

/**
 * Reads a tree from its tiles. What the tiles say is not checked: verify a proof before it is used,
 * or compare `rootAt` with a signed root.
 *
 * @throws {@link TlogError} (`TLOG_OPTION`) from the functions, for an index or size not in the tree;
 *   (`TLOG_TILE`) for a tile of another length.
 */
export function createTileTree(size: number, source: TileSource): TileTree {
  const tiles = new Map<string, Promise<Buffer>>();

  function tileOf(level: number, index: number): Promise<Buffer> {
    const key = `${level}/${index}`;
    const known = tiles.get(key);
    if (known !== undefined) {
      // Those at the top are part of every proof, and stay.
      tiles.delete(key);
      tiles.set(key, known);
      return known;
    }
    const isFull = (index + 1) * TILE_WIDTH ** (level + 1) <= size;
    const width = isFull ? TILE_WIDTH : widthAtLevel(size, level);
    const tile = source({ level, index, width }).then((bytes) => {
      if (bytes.length === width * HASH_BYTES)
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const message = `tile ${key} has ${bytes.length} bytes for ${width} hashes`;
      throw new TlogError("TLOG_TILE", { message });
    });
    // A file that cannot be read now may be read later.
    tile.catch(() => tiles.delete(key));
    const [oldest] = tiles.keys();
    if (tiles.size >= MAX_TILES && oldest !== undefined) tiles.delete(oldest);
    tiles.set(key, tile);
    return tile;
  }

  /** Root of the complete subtree of 2^height entries that begins at `start`. */
  async function subtree(start: number, height: number): Promise<string> {
    const level = Math.floor(height / TILE_HEIGHT);
    const first = start / TILE_WIDTH ** level;
    const tile = await tileOf(level, Math.floor(first / TILE_WIDTH));
    const offset = (first % TILE_WIDTH) * HASH_BYTES;
    const width = 2 ** (height % TILE_HEIGHT);
    if (width === 1) return tile.toString("latin1", offset, offset + HASH_BYTES);
    let hashes: string[] = [];
    for (let at = 0; at < width; at += 2) {
      hashes.push(pairHashLatin1(tile, offset + at * HASH_BYTES));
    }
    while (hashes.length > 1) {
      hashes = hashes.flatMap((hash, at) =>
        at % 2 === 0 ? [nodeHashLatin1(hash, hashes[at + 1] ?? "")] : [],
      );
    }
    return hashes[0] ?? "";
  }

  /** MTH(D[start:end]) of RFC 6962, where start is a multiple of a power of two ≥ end − start. */
  async function range(start: number, end: number): Promise<string> {
    const parts: string[] = [];
    for (let at = start; at < end;) {
      const height = floorLog2(end - at);
      parts.push(await subtree(at, height));
      at += 2 ** height;
    }
    return parts.reduceRight((right, left) => nodeHashLatin1(left, right));
  }

  /** The siblings from the leaf to the root; their tiles are read side by side. */
  async function path(index: number, start: number, end: number): Promise<string[]> {
    const siblings: Promise<string>[] = [];
    for (let from = start, to = end; to - from > 1;) {
      const middle = from + splitOf(to - from);
      siblings.push(index < middle ? range(middle, to) : range(from, middle));
      if (index < middle) to = middle;
      else from = middle;
    }
    return (await Promise.all(siblings)).toReversed();
  }

  /** SUBPROOF of RFC 6962 section 2.1.2. */
  async function subproof(
    oldEnd: number,
    start: number,
    end: number,
    isWhole: boolean,
  ): Promise<string[]> {
    if (oldEnd === end) return isWhole ? [] : [await range(start, end)];
    const middle = start + splitOf(end - start);
    return oldEnd <= middle
      ? [...(await subproof(oldEnd, start, middle, isWhole)), await range(middle, end)]
      : [...(await subproof(oldEnd, middle, end, false)), await range(start, middle)];
  }

  function check(isGood: boolean, wanted: string): void {
    if (!isGood)
      throw new TlogError("TLOG_OPTION", { message: `a tree of ${size} has no ${wanted}` });
  }

  return {
    size,
    async rootAt(wanted) {
      check(Number.isSafeInteger(wanted) && wanted >= 0 && wanted <= size, `size ${wanted}`);
      return wanted === 0
        ? Buffer.from(EMPTY_ROOT, "hex")
        : Buffer.from(await range(0, wanted), "latin1");
    },
    async proveInclusion(index, treeSize = size) {
      check(
        Number.isSafeInteger(index) && index >= 0 && index < treeSize && treeSize <= size,
        `index ${index} at size ${treeSize}`,
      );
      return bytesOf(await path(index, 0, treeSize));
    },
    async proveConsistency(oldSize, newSize = size) {
      check(
        Number.isSafeInteger(oldSize) && oldSize >= 0 && oldSize <= newSize && newSize <= size,
        `sizes ${oldSize} to ${newSize}`,
      );
      return oldSize === 0 ? [] : bytesOf(await subproof(oldSize, 0, newSize, true));
    },
  };
}

/** Tiles that are kept: more than the two for each level that a proof reads; 256 kB. */
const MAX_TILES = 32;

/** The largest power of two below n (RFC 6962's k); n ≥ 2. */
function splitOf(n: number): number {
  return 2 ** floorLog2(n - 1);
}

function floorLog2(n: number): number {
  const guess = Math.floor(Math.log2(n));
  // Near a large power of two the logarithm is rounded up.
  return 2 ** guess > n ? guess - 1 : guess;
}

function bytesOf(hashes: readonly string[]): readonly Buffer[] {
  return hashes.map((hash) => Buffer.from(hash, "latin1"));
}
