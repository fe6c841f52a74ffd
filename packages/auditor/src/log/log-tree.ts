/**
 * @module The tree and the unfinished bundle of a log, in memory. Entries come as they lie in frames;
 * tiles and bundles leave as they fill, and are written once their entries are durable.
 */
import { TILE_WIDTH, type TilePlace } from "@glovebox/tlog/tiles";
import { type GrownTile, TreeBuilder } from "@glovebox/tlog/tree";

const FIRST_BUNDLE_BYTES = 131_072;

/** A tile or a bundle with its place. */
export interface PlacedTile extends TilePlace {
  readonly bytes: Buffer;
}

/** A tree at one moment: enough to publish a checkpoint of it. */
export interface TreeSnapshot {
  readonly size: number;
  readonly root: Buffer;
  /** What is not full: the last bundle and the tiles at the right edge. */
  readonly partial: readonly PlacedTile[];
}

/** The growing end of a log. */
export class LogTree {
  readonly #builder: TreeBuilder;
  /** Full tiles and bundles that nobody took yet. */
  #filled: PlacedTile[] = [];
  #bundle: Buffer = Buffer.allocUnsafeSlow(FIRST_BUNDLE_BYTES);
  #bundleUsed = 0;

  /** A tree of `size` entries, a multiple of 256, from the hashes at its edge. */
  constructor(size = 0, tileOf: Parameters<TreeBuilder["restore"]>[1] = noTile) {
    this.#builder = new TreeBuilder((tile: GrownTile) => this.#filled.push(tile));
    if (size > 0) this.#builder.restore(size, tileOf);
  }

  get size(): number {
    return this.#builder.size;
  }

  /** Entries before the unfinished bundle. */
  get bundleStart(): number {
    return this.size - (this.size % TILE_WIDTH);
  }

  /** Bytes of the unfinished bundle; a view. */
  get bundle(): Buffer {
    return this.#bundle.subarray(0, this.#bundleUsed);
  }

  /**
   * Adds the entries of `bytes[start, end)`, each after its length. Their bytes are lent for hashing
   * and given back, so that nothing may read them meanwhile.
   */
  add(bytes: Buffer, start: number, end: number): void {
    const builder = this.#builder;
    let pieceStart = start;
    for (let offset = start; offset < end;) {
      const entry = offset + 2;
      const next = entry + (bytes[offset] ?? 0) * 256 + (bytes[offset + 1] ?? 0);
      builder.append(bytes, entry, next);
      offset = next;
      if (builder.size % TILE_WIDTH === 0) {
        this.#finishBundle(bytes, pieceStart, offset);
        pieceStart = offset;
      }
    }
    this.#extend(bytes, pieceStart, end);
  }

  /** The full tiles and bundles since the last time, for whoever writes them. */
  takeFilled(): readonly PlacedTile[] {
    const filled = this.#filled;
    if (filled.length > 0) this.#filled = [];
    return filled;
  }

  root(): Buffer {
    return this.#builder.root();
  }

  snapshot(): TreeSnapshot {
    const width = this.size % TILE_WIDTH;
    const bundle = { level: "entries" as const, index: Math.floor(this.size / TILE_WIDTH), width };
    return {
      size: this.size,
      root: this.root(),
      partial: [
        ...(width === 0 ? [] : [{ ...bundle, bytes: Buffer.from(this.bundle) }]),
        ...this.#builder.partialTiles(),
      ],
    };
  }

  #extend(bytes: Buffer, start: number, end: number): void {
    const used = this.#bundleUsed + end - start;
    if (used > this.#bundle.length) {
      const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(used)));
      this.#bundle.copy(larger, 0, 0, this.#bundleUsed);
      this.#bundle = larger;
    }
    bytes.copy(this.#bundle, this.#bundleUsed, start, end);
    this.#bundleUsed = used;
  }

  /** The bundle ends with `bytes[start, end)`; what leaves is a copy, for `bytes` serves others next. */
  #finishBundle(bytes: Buffer, start: number, end: number): void {
    const index = this.size / TILE_WIDTH - 1;
    const whole = Buffer.allocUnsafeSlow(this.#bundleUsed + end - start);
    this.#bundle.copy(whole, 0, 0, this.#bundleUsed);
    bytes.copy(whole, this.#bundleUsed, start, end);
    this.#filled.push({ level: "entries", index, width: TILE_WIDTH, bytes: whole });
    this.#bundleUsed = 0;
    // One large entry must not keep its memory for the life of the log.
    if (this.#bundle.length > 16 * FIRST_BUNDLE_BYTES)
      this.#bundle = Buffer.allocUnsafeSlow(FIRST_BUNDLE_BYTES);
  }
}

function noTile(): Uint8Array {
  return new Uint8Array();
}
