/**
 * @module The write-ahead file: frames are appended and synced here before an entry counts as
 * durable. Tiles are derived from it, and it is cut off behind them: a new segment begins with the
 * entries of the unfinished bundle, so that it needs no tile that is not full.
 */
import { randomInt } from "node:crypto";
import { join } from "node:path";

import { MAX_BATCH_BYTES } from "../limits.ts";
import type { LogFile, LogFileSystem } from "./file-system.ts";
import {
  finishFrame,
  FRAME_HEADER_BYTES,
  formatSegmentHeader,
  SEGMENT_HEADER_BYTES,
} from "./frame.ts";
import { writeAll } from "./whole-file.ts";

/** The directory of segments in a log's directory. */
export const WAL_DIRECTORY = "wal";

const SEED_LIMIT = 2 ** 32;
const NAME_DIGITS = 16;

/** A segment: where it is, and the index of its first entry. */
export interface Segment {
  readonly path: string;
  readonly first: number;
}

/** The segments of a log, in the order of their first entries. */
export async function listSegments(
  fileSystem: Pick<LogFileSystem, "list">,
  directory: string,
): Promise<readonly Segment[]> {
  const names = await fileSystem.list(join(directory, WAL_DIRECTORY));
  return names
    .filter((name) => /^\d{16}$/.test(name))
    .toSorted()
    .map((name) => ({ path: join(directory, WAL_DIRECTORY, name), first: Number(name) }));
}

/** A segment that is being written. */
export interface OpenSegment extends Segment {
  readonly file: LogFile;
  readonly seed: number;
  bytes: number;
}

/** The write-ahead files of an open log. */
export class WriteAhead {
  readonly #fileSystem: LogFileSystem;
  readonly #directory: string;
  #current: OpenSegment;
  /** Complete segments that tiles do not stand in for yet, oldest first, and where each ends. */
  readonly #done: { readonly segment: Segment; readonly end: number }[];

  constructor(
    fileSystem: LogFileSystem,
    directory: string,
    current: OpenSegment,
    done: readonly Segment[],
  ) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#current = current;
    this.#done = done.map((segment, at) => ({
      segment,
      end: done[at + 1]?.first ?? current.first,
    }));
  }

  /** Bytes of the segment that is being written. */
  get bytes(): number {
    return this.#current.bytes;
  }

  /** First entry that some segment still holds. */
  get first(): number {
    return this.#done[0]?.segment.first ?? this.#current.first;
  }

  /** Completes the frame in `frame`, whose entries are in place, and writes it. */
  async write(frame: Buffer, first: number, count: number): Promise<void> {
    finishFrame(frame, this.#current.seed, first, count);
    this.#current.bytes += frame.length;
    await writeAll(this.#current.file, frame);
  }

  /** Resolves when all that was written is on the disk. */
  sync(): Promise<void> {
    return this.#current.file.sync();
  }

  /**
   * Goes on in a new segment that begins with the unfinished bundle: the entries from `first`, which
   * are durable in the old one. Answers false where the segment begins there already.
   */
  async rotate(first: number, bundle: Buffer): Promise<boolean> {
    if (first === this.#current.first) return false;
    const next = await createSegment(this.#fileSystem, this.#directory, first);
    for (const { payload, count, index } of framesOf(bundle, first)) {
      const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), payload]);
      finishFrame(frame, next.seed, index, count);
      await writeAll(next.file, frame);
      next.bytes += frame.length;
    }
    await next.file.sync();
    const { file, ...segment } = this.#current;
    await file.close();
    this.#done.push({ segment, end: first });
    this.#current = next;
    return true;
  }

  /** Whether tiles up to `size`, once they are durable, can stand in for a segment. */
  hasDone(size: number): boolean {
    const [oldest] = this.#done;
    return oldest !== undefined && oldest.end <= size;
  }

  /** Removes the segments that end at or before `size`: their tiles are durable. */
  async retire(size: number): Promise<void> {
    let removed = false;
    for (
      let [oldest] = this.#done;
      oldest !== undefined && oldest.end <= size;
      [oldest] = this.#done
    ) {
      await this.#fileSystem.remove(oldest.segment.path);
      this.#done.shift();
      removed = true;
    }
    if (removed) await this.#fileSystem.syncDirectory(join(this.#directory, WAL_DIRECTORY));
  }

  close(): Promise<void> {
    return this.#current.file.close();
  }
}

/** Makes an empty segment; its name and its header are durable when it answers. */
export async function createSegment(
  fileSystem: LogFileSystem,
  directory: string,
  first: number,
): Promise<OpenSegment> {
  const path = join(directory, WAL_DIRECTORY, String(first).padStart(NAME_DIGITS, "0"));
  const file = await fileSystem.open(path, "append");
  if (file === undefined) throw new Error(`${path} vanished`);
  const seed = randomInt(SEED_LIMIT);
  await writeAll(file, formatSegmentHeader({ seed, first }));
  await file.sync();
  await fileSystem.syncDirectory(join(directory, WAL_DIRECTORY));
  return { path, first, file, seed, bytes: SEGMENT_HEADER_BYTES };
}

/** A bundle in pieces that fit in frames. */
function* framesOf(
  bundle: Buffer,
  first: number,
): Generator<{ readonly payload: Buffer; readonly count: number; readonly index: number }> {
  let start = 0;
  let count = 0;
  let index = first;
  for (let offset = 0; offset < bundle.length;) {
    offset += 2 + bundle.readUInt16BE(offset);
    count += 1;
    if (offset < bundle.length && offset - start < MAX_BATCH_BYTES) continue;
    yield { payload: bundle.subarray(start, offset), count, index };
    index += count;
    start = offset;
    count = 0;
  }
}
