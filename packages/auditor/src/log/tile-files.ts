/**
 * @module Tiles and bundles as files (C2SP tlog-tiles). They are written without a sync, because the
 * write-ahead file can make them again; before it is cut off behind them, all of them are synced.
 */
import { dirname, join } from "node:path";

import { TILE_WIDTH, tilePath, type TilePlace } from "@glovebox/tlog/tiles";
import type { TileSource } from "@glovebox/tlog/tree";

import { AuditorError } from "../errors.ts";
import { MAX_BUNDLE_BYTES, MAX_PENDING_TILE_BYTES, PARALLEL_SYNCS } from "../limits.ts";
import type { LogFileSystem } from "./file-system.ts";
import type { PlacedTile } from "./log-tree.ts";
import { readWhole, writeAll } from "./whole-file.ts";

const HASH_BYTES = 32;

/** Writes the tiles of an open log. */
export class TileFiles {
  readonly #fileSystem: LogFileSystem;
  readonly #directory: string;
  /** Tile directories that exist; one for a thousand tiles, and so few. */
  readonly #known = new Set<string>();
  /** Partial tiles that were written since the log was opened, by directory and width. */
  readonly #partial = new Map<string, Map<number, Promise<void>>>();
  /** Levels of which some tile has filled since then. */
  readonly #filled = new Set<TilePlace["level"]>();
  #writingPartial: Promise<unknown> = Promise.resolve();
  readonly #unsyncedFiles: string[] = [];
  readonly #unsyncedDirectories = new Set<string>();
  readonly #noted = new Set<string>();
  #pendingBytes = 0;
  #pending: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(fileSystem: LogFileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /** Whether more is waiting to be written than memory should hold. */
  get isBehind(): boolean {
    return this.#pendingBytes > MAX_PENDING_TILE_BYTES;
  }

  /** Begins to write full tiles; their bytes are not to change. */
  start(tiles: readonly PlacedTile[]): void {
    for (const tile of tiles) {
      this.#pendingBytes += tile.bytes.length;
      const written = this.#writeFull(tile)
        .catch((error: unknown) => (this.#failure ??= error))
        .then(() => void (this.#pendingBytes -= tile.bytes.length));
      const before = this.#pending;
      this.#pending = written.then(() => before);
    }
  }

  /** Resolves when all that was begun is written. @throws what a write threw */
  async idle(): Promise<void> {
    await this.#pending;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #writeFull({ level, index, bytes }: PlacedTile): Promise<void> {
    const path = join(this.#directory, tilePath(level, index));
    const partial = `${path}.p`;
    // An earlier writer can have left the first one only.
    const hasPartial = !this.#filled.has(level) || this.#partial.has(partial);
    this.#filled.add(level);
    await this.#ensureDirectory(dirname(path));
    await this.#write(path, bytes, "create");
    this.#unsyncedFiles.push(path);
    this.#noteDirectories(dirname(path));
    if (!hasPartial) return;
    // A checkpoint of before it filled may still be on its way.
    await this.#writingPartial;
    this.#partial.delete(partial);
    // Whoever reads an older checkpoint finds the hashes in the full tile.
    await this.#fileSystem.remove(partial);
  }

  /** Writes the partial tiles of a size, but for those that an earlier size had, too. */
  async writePartial(tiles: readonly PlacedTile[]): Promise<void> {
    const before = this.#writingPartial;
    const written = Promise.all(tiles.map((tile) => this.#writePartial(tile)));
    this.#writingPartial = written.catch(() => undefined).then(() => before);
    await written;
  }

  #writePartial({ level, index, width, bytes }: PlacedTile): Promise<void> {
    const path = join(this.#directory, tilePath(level, index, width));
    const directory = dirname(path);
    const known = this.#partial.get(directory);
    const widths = known ?? new Map<number, Promise<void>>();
    if (known === undefined) this.#partial.set(directory, widths);
    let written = widths.get(width);
    if (written === undefined) {
      // The first to be written made the directory.
      const [first] = widths.values();
      const made = first ?? this.#beginPartial(directory, path);
      written = made.then(() => this.#write(path, bytes, "create"));
      widths.set(width, written);
    }
    return written;
  }

  /** Makes a directory of partial tiles; one of an earlier writer may hold the file, unfinished. */
  async #beginPartial(directory: string, path: string): Promise<void> {
    if ((await this.#fileSystem.makeDirectory(directory)) === undefined)
      await this.#fileSystem.remove(path);
  }

  /** Writes a tile again if it is not there as it should be, in recovery. */
  async repair(tile: PlacedTile): Promise<void> {
    const path = join(this.#directory, tilePath(tile.level, tile.index, tile.width));
    if (!this.#fileSystem.holds(path, tile.bytes)) {
      await this.#ensureDirectory(dirname(path));
      await this.#fileSystem.remove(path);
      await this.#write(`${path}.tmp`, tile.bytes, "replace");
      await this.#fileSystem.rename(`${path}.tmp`, path);
    }
    if (tile.width < TILE_WIDTH) return;
    this.#unsyncedFiles.push(path);
    this.#noteDirectories(dirname(path));
  }

  /** Makes every full tile durable that was written so far. */
  async syncAll(): Promise<void> {
    await this.idle();
    const files = this.#unsyncedFiles.splice(0);
    const directories = [...this.#unsyncedDirectories];
    this.#unsyncedDirectories.clear();
    await inParallel(files, async (path) => {
      const file = await this.#fileSystem.open(path, "read");
      // A tile that was pruned meanwhile needs no sync.
      if (file === undefined) return;
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    });
    await inParallel(directories, (path) => this.#fileSystem.syncDirectory(path));
  }

  async #write(path: string, bytes: Buffer, mode: "create" | "replace"): Promise<void> {
    const file = await this.#fileSystem.open(path, mode);
    if (file === undefined) throw new Error(`${path} vanished`);
    try {
      await writeAll(file, bytes);
    } finally {
      await file.close();
    }
  }

  async #ensureDirectory(path: string): Promise<void> {
    if (this.#known.has(path)) return;
    await this.#fileSystem.makeDirectory(path);
    this.#known.add(path);
  }

  /** Each new name is in the directory above it, and an earlier writer may not have synced them. */
  #noteDirectories(path: string): void {
    if (this.#noted.has(path)) {
      this.#unsyncedDirectories.add(path);
      return;
    }
    this.#noted.add(path);
    for (let at = path; at !== dirname(this.#directory); at = dirname(at)) {
      this.#unsyncedDirectories.add(at);
    }
  }
}

/** Reads a tile, or what a full one holds of it; `undefined` if neither is there. */
export async function readTile(
  fileSystem: Pick<LogFileSystem, "open">,
  directory: string,
  { level, index, width }: TilePlace,
): Promise<Buffer | undefined> {
  const maxBytes = level === "entries" ? MAX_BUNDLE_BYTES : TILE_WIDTH * HASH_BYTES;
  const own = await readWhole(fileSystem, join(directory, tilePath(level, index, width)), maxBytes);
  if (own !== undefined || width === TILE_WIDTH) return own;
  const full = await readWhole(fileSystem, join(directory, tilePath(level, index)), maxBytes);
  return level === "entries" ? full : full?.subarray(0, width * HASH_BYTES);
}

/** Tiles of a log for `createTileTree`. @throws {@link AuditorError} (`AUDITOR_LOG_INVALID`) */
export function tileSourceOf(
  fileSystem: Pick<LogFileSystem, "open">,
  directory: string,
): TileSource {
  return async (place) => {
    const tile = await readTile(fileSystem, directory, place);
    if (tile !== undefined) return tile;
    const path = tilePath(place.level, place.index, place.width);
    throw new AuditorError("AUDITOR_LOG_INVALID", { message: `${path} is missing` });
  };
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: PARALLEL_SYNCS }, worker));
}
