/**
 * @module Finding the end of an existing log. What a dying process or a power cut leaves is a frame
 * that is not whole at the very end: it was never acknowledged, and is cut off, and so is what a file
 * that was written over held before. Anything else, above all a lack of what was signed, is nothing
 * that dying can make on a disk that keeps its promises: such a log is left untouched and not opened.
 *
 * Tiles up to the first write-ahead segment are durable; all after it are made again and compared.
 */
import { hash } from "node:crypto";

import type { Checkpoint } from "@glovebox/tlog/checkpoint";
import { TILE_WIDTH, widthAtLevel } from "@glovebox/tlog/tiles";
import { TreeBuilder } from "@glovebox/tlog/tree";

import { AuditorError } from "../errors.ts";
import { READ_CHUNK_BYTES } from "../limits.ts";
import type { LogFile, LogFileSystem } from "./file-system.ts";
import {
  findFrame,
  type Frame,
  FRAME_HEADER_BYTES,
  MAX_FRAME_BYTES,
  parseFrame,
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
  unfinishedBytes,
} from "./frame.ts";
import { LogTree } from "./log-tree.ts";
import { ReadAhead } from "./read-ahead.ts";
import { readTile, type TileFiles } from "./tile-files.ts";
import {
  createSegment,
  listSegments,
  type OpenSegment,
  removeUnused,
  type Segment,
} from "./write-ahead.ts";

const HASH_BYTES = 32;
const NOTHING: Buffer = Buffer.alloc(0);

/** A frame that was never finished. */
export interface CutTail {
  readonly bytes: number;
  readonly sha256: string;
}

/** Where a log continues. */
export interface RecoveredLog {
  readonly tree: LogTree;
  readonly current: OpenSegment;
  readonly done: readonly Segment[];
  readonly cut: CutTail | undefined;
}

/** What recovery needs. */
export interface RecoverParts {
  readonly fileSystem: LogFileSystem;
  readonly directory: string;
  readonly tiles: TileFiles;
  /** Trees that the log has signed, and the code of the error if it does not hold one of them. */
  readonly signed: readonly (readonly [Checkpoint, "AUDITOR_LOG_INVALID" | "AUDITOR_ROLLBACK"])[];
}

/** A segment that is read. */
interface ReadSegment {
  readonly segment: Segment;
  readonly file: LogFile;
  readonly seed: number;
}

/**
 * Reads the write-ahead files of a log, makes its tiles again and cuts off an unfinished frame.
 *
 * @throws {@link AuditorError} (`AUDITOR_LOG_INVALID`, `AUDITOR_ROLLBACK`)
 */
export async function recoverLog(parts: RecoverParts): Promise<RecoveredLog> {
  const { fileSystem, directory, signed } = parts;
  await removeUnused(fileSystem, directory);
  const files: ReadSegment[] = [];
  try {
    for (const segment of await listSegments(fileSystem, directory)) {
      const opened = await openSegment(fileSystem, segment);
      if (opened !== undefined) files.push({ segment, ...opened });
    }
    const [first, ...others] = files;
    if (first === undefined) return await beginLog(parts);
    const tree = await restoreTree(fileSystem, directory, first.segment.first);
    const replay = new Replay(parts, tree);
    replay.checkSigned();
    let current = await replay.segment(first);
    for (const file of others) {
      if (file.segment.first > tree.size)
        throw invalid(`entries ${tree.size} to ${file.segment.first} are gone`);
      current = await replay.segment(file);
    }
    for (const [checkpoint, code] of signed) {
      if (checkpoint.size > tree.size) throw lacks(checkpoint.size, tree.size, code);
    }
    const cut = await cutTail(current, tree.size);
    const done = files.slice(0, -1);
    for (const { file } of done) await file.close();
    return { tree, current, done: done.map(({ segment }) => segment), cut };
  } catch (error) {
    await Promise.all(files.map(({ file }) => file.close().catch(() => undefined)));
    throw error;
  }
}

/** A log without segments: a new one, or one that died before it was one. */
async function beginLog({ fileSystem, directory, signed }: RecoverParts): Promise<RecoveredLog> {
  for (const [{ size }, code] of signed) if (size > 0) throw lacks(size, 0, code);
  for (const { path } of await listSegments(fileSystem, directory)) await fileSystem.remove(path);
  const current = await createSegment(fileSystem, directory, 0);
  return { tree: new LogTree(), current, done: [], cut: undefined };
}

async function openSegment(
  fileSystem: LogFileSystem,
  { path, first }: Segment,
): Promise<{ readonly file: LogFile; readonly seed: number } | undefined> {
  const file = await fileSystem.open(path, "update");
  if (file === undefined) return undefined;
  const header = parseSegmentHeader(await file.read(0, SEGMENT_HEADER_BYTES));
  if (header?.first === first && first % TILE_WIDTH === 0) return { file, seed: header.seed };
  const size = await file.size();
  await file.close();
  // A segment has its name only once it is whole, but for the empty one of a log that nobody wrote to.
  if (size > SEGMENT_HEADER_BYTES || first > 0) throw invalid(`the header of ${path} is damaged`);
  return undefined;
}

/** The tree of `size` entries from its full tiles: hashes of one level are roots of those below. */
async function restoreTree(
  fileSystem: LogFileSystem,
  directory: string,
  size: number,
): Promise<LogTree> {
  const edges = new Map<number, Buffer>();
  for (let level = 1; TILE_WIDTH ** level <= size; level += 1) {
    const width = widthAtLevel(size, level);
    const start = Math.floor(size / TILE_WIDTH ** (level + 1)) * TILE_WIDTH;
    const hashes = Buffer.alloc(width * HASH_BYTES);
    for (let at = 0; at < width; at += 1) {
      const place = { level: level - 1, index: start + at, width: TILE_WIDTH };
      const tile = await readTile(fileSystem, directory, place);
      if (tile?.length !== TILE_WIDTH * HASH_BYTES)
        throw invalid(`tile ${level - 1}/${start + at} is gone`);
      rootOfTile(tile).copy(hashes, at * HASH_BYTES);
    }
    edges.set(level, hashes);
  }
  return new LogTree(size, (level) => edges.get(level) ?? Buffer.alloc(0));
}

function rootOfTile(tile: Buffer): Buffer {
  const builder = new TreeBuilder(() => undefined);
  for (let at = 0; at < tile.length; at += HASH_BYTES) {
    builder.appendLeafHash(tile.subarray(at, at + HASH_BYTES));
  }
  return builder.root();
}

/** Goes through frames and compares the tree with what was signed. */
class Replay {
  readonly #parts: RecoverParts;
  readonly #tree: LogTree;
  readonly #signedSizes: ReadonlySet<number>;
  readonly #readAhead = new ReadAhead();

  constructor(parts: RecoverParts, tree: LogTree) {
    this.#parts = parts;
    this.#signedSizes = new Set(parts.signed.map(([{ size }]) => size));
    this.#tree = tree;
  }

  /**
   * Reads a segment to its last whole frame. Frames are synced one by one, and so a whole one after
   * it means that acknowledged entries were changed; older ones are of before it was written over.
   */
  async segment({ segment, file, seed }: ReadSegment): Promise<OpenSegment> {
    const size = await file.size();
    let bytes = SEGMENT_HEADER_BYTES;
    let next = segment.first;
    let rest: Buffer = NOTHING;
    for await (const piece of this.#readAhead.pieces(file, bytes, size, () => rest)) {
      let offset = 0;
      for (;;) {
        const frame = parseFrame(piece.subarray(offset), seed);
        if (frame === undefined) break;
        if (frame.first !== next)
          throw invalid(`a frame of entry ${frame.first} stands where ${next} should`);
        await this.#add(frame);
        next = frame.first + frame.count;
        offset += FRAME_HEADER_BYTES + frame.payload.length;
      }
      bytes += offset;
      rest = piece.subarray(offset);
      // Longer than any frame, and begins with none.
      if (rest.length >= MAX_FRAME_BYTES) break;
    }
    if (await hasFrame(file, seed, bytes, segment.first))
      throw invalid(`entry ${next} is damaged, and later ones are not`);
    return { ...segment, file, seed, bytes };
  }

  async #add({ first, count, payload }: Frame): Promise<void> {
    const tree = this.#tree;
    // Entries at the beginning of a segment are those of the one before.
    const known = Math.min(count, tree.size - first);
    let offset = 0;
    for (let at = 0; at < known; at += 1) offset += 2 + payload.readUInt16BE(offset);
    let start = offset;
    for (let index = first + known; index < first + count; index += 1) {
      offset += 2 + payload.readUInt16BE(offset);
      if (!this.#signedSizes.has(index + 1)) continue;
      tree.add(payload, start, offset);
      start = offset;
      this.checkSigned();
    }
    if (offset !== payload.length)
      throw invalid(`the frame of entry ${first} holds more than it says`);
    tree.add(payload, start, offset);
    await Promise.all(tree.takeFilled().map((tile) => this.#parts.tiles.repair(tile)));
  }

  /** @throws {@link AuditorError} if the tree has another root than a signed one of its size. */
  checkSigned(): void {
    for (const [{ size, root }, code] of this.#parts.signed) {
      if (size !== this.#tree.size || Buffer.compare(this.#tree.root(), root) === 0) continue;
      throw new AuditorError(code, {
        message: `the log is not the one that was signed at size ${size}`,
      });
    }
  }
}

/** Whether a whole frame of an entry at or after `first` begins somewhere after `start`. */
async function hasFrame(
  file: LogFile,
  seed: number,
  start: number,
  first: number,
): Promise<boolean> {
  const size = await file.size();
  for (let position = start; position < size; position += READ_CHUNK_BYTES) {
    const chunk = await file.read(
      position,
      Math.min(READ_CHUNK_BYTES + MAX_FRAME_BYTES, size - position),
    );
    for (let at = findFrame(chunk, 0); at >= 0; at = findFrame(chunk, at + 1)) {
      const frame = parseFrame(chunk.subarray(at), seed);
      if (frame !== undefined && frame.first >= first) return true;
    }
  }
  return false;
}

/** Cuts off what lies behind the last whole frame, and tells of the unfinished one that begins there. */
async function cutTail({ file, bytes }: OpenSegment, next: number): Promise<CutTail | undefined> {
  const size = await file.size();
  if (size === bytes) return undefined;
  const tail = await file.read(bytes, Math.min(size - bytes, MAX_FRAME_BYTES));
  const unfinished = tail.subarray(0, unfinishedBytes(tail, next));
  await file.truncate(bytes);
  await file.sync();
  if (unfinished.length === 0) return undefined;
  return { bytes: unfinished.length, sha256: hash("sha256", unfinished) };
}

function lacks(
  size: number,
  found: number,
  code: "AUDITOR_LOG_INVALID" | "AUDITOR_ROLLBACK",
): AuditorError {
  return new AuditorError(code, { message: `${size} entries were signed, and ${found} are there` });
}

function invalid(problem: string): AuditorError {
  return new AuditorError("AUDITOR_LOG_INVALID", { message: `the log is not whole: ${problem}` });
}
