/**
 * @module The write-ahead file: frames are written and synced here before an entry counts as
 * durable. Tiles are derived from it, and it is cut off behind them: a new segment begins with the
 * entries of the unfinished bundle, so that it needs no tile that is not full.
 *
 * A segment that is done becomes the next but one: what is written over needs no new blocks, and a
 * sync of it does not wait for the file system's journal, which the tiles keep busy (decision 0049).
 * What it held before is not taken for frames, because their checksums begin from another number.
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
/** A segment in the making; it has its name once it is whole. */
const NEXT_SEGMENT = "next";
/** A segment that is done and will be written over. */
const SPARE_SEGMENT = "spare";

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
  /** Whether segments that are done are written over. */
  recycles = true;

  readonly #fileSystem: LogFileSystem;
  readonly #directory: string;
  #current: OpenSegment;
  /** Complete segments that tiles do not stand in for yet, oldest first, and where each ends. */
  readonly #done: { readonly segment: Segment; readonly end: number }[];
  /** `changing` while its name is made or taken: nobody else may touch it. */
  #spare: "none" | "changing" | "ready" = "none";

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
    await writeFrame(this.#current, frame, first, count);
  }

  /** Resolves when all that was written is on the disk. */
  sync(): Promise<void> {
    return this.#current.file.sync();
  }

  /**
   * Goes on in a new segment that begins with the unfinished bundle: the entries from `first`, which
   * are durable in the old one. Where the segment begins there already it stays.
   */
  async rotate(first: number, bundle: Buffer): Promise<void> {
    if (first === this.#current.first) {
      if (!this.recycles) await this.#current.file.truncate(this.#current.bytes);
      return;
    }
    const isSpare = this.#spare === "ready" && this.recycles;
    if (isSpare) this.#spare = "changing";
    const next = await createSegment(this.#fileSystem, this.#directory, first, {
      bundle,
      from: isSpare ? SPARE_SEGMENT : NEXT_SEGMENT,
    });
    if (isSpare) this.#spare = "none";
    const { file, path, first: before } = this.#current;
    await file.close();
    this.#done.push({ segment: { path, first: before }, end: first });
    this.#current = next;
  }

  /** Whether tiles up to `size`, once they are durable, can stand in for a segment. */
  hasDone(size: number): boolean {
    const [oldest] = this.#done;
    return oldest !== undefined && oldest.end <= size;
  }

  /** Lets go of the segments that end at or before `size`: their tiles are durable. */
  async retire(size: number): Promise<void> {
    let hasChanged = false;
    let isSpare = false;
    for (
      let [oldest] = this.#done;
      oldest !== undefined && oldest.end <= size;
      [oldest] = this.#done
    ) {
      const { path } = oldest.segment;
      if (this.recycles && this.#spare === "none") {
        this.#spare = "changing";
        isSpare = true;
        await this.#fileSystem.rename(path, this.#pathOf(SPARE_SEGMENT));
      } else {
        await this.#fileSystem.remove(path);
      }
      this.#done.shift();
      hasChanged = true;
    }
    if (hasChanged) await this.#fileSystem.syncDirectory(join(this.#directory, WAL_DIRECTORY));
    // Under its old name it must not be found with another beginning.
    if (isSpare) this.#spare = "ready";
  }

  /** Removes the spare segment with the entries that it held. */
  async dropSpare(): Promise<void> {
    if (this.#spare !== "ready") return;
    this.#spare = "changing";
    await this.#fileSystem.remove(this.#pathOf(SPARE_SEGMENT));
    this.#spare = "none";
  }

  /** Leaves nothing behind the last frame. */
  async close(): Promise<void> {
    const { file, bytes } = this.#current;
    try {
      await this.dropSpare();
      if ((await file.size()) > bytes) await file.truncate(bytes);
    } finally {
      await file.close();
    }
  }

  #pathOf(name: string): string {
    return join(this.#directory, WAL_DIRECTORY, name);
  }
}

/** What a segment begins with, and the file that it is made of. */
interface SegmentStart {
  readonly bundle: Buffer;
  readonly from: typeof NEXT_SEGMENT | typeof SPARE_SEGMENT;
}

const NO_ENTRIES: Buffer = Buffer.alloc(0);

/** Removes what a writer that died left of segments that it had not begun to use. */
export async function removeUnused(
  fileSystem: Pick<LogFileSystem, "remove">,
  directory: string,
): Promise<void> {
  for (const name of [NEXT_SEGMENT, SPARE_SEGMENT]) {
    await fileSystem.remove(join(directory, WAL_DIRECTORY, name));
  }
}

/**
 * Makes a segment that holds the entries from `first` in `bundle`, out of the file `from`: whole and
 * durable, and so is its name when it answers.
 */
export async function createSegment(
  fileSystem: LogFileSystem,
  directory: string,
  first: number,
  { bundle = NO_ENTRIES, from = NEXT_SEGMENT }: Partial<SegmentStart> = {},
): Promise<OpenSegment> {
  const wal = join(directory, WAL_DIRECTORY);
  const aside = join(wal, from);
  const path = join(wal, String(first).padStart(NAME_DIGITS, "0"));
  const file = await fileSystem.open(aside, "update");
  if (file === undefined) throw new Error(`${aside} vanished`);
  const seed = randomInt(SEED_LIMIT);
  const segment = { path, first, file, seed, bytes: SEGMENT_HEADER_BYTES };
  await writeAll(file, formatSegmentHeader({ seed, first }), 0);
  for (const { payload, count, index } of framesOf(bundle, first)) {
    const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), payload]);
    await writeFrame(segment, frame, index, count);
  }
  await file.sync();
  await fileSystem.rename(aside, path);
  await fileSystem.syncDirectory(wal);
  return segment;
}

async function writeFrame(
  segment: OpenSegment,
  frame: Buffer,
  first: number,
  count: number,
): Promise<void> {
  finishFrame(frame, segment.seed, first, count);
  const position = segment.bytes;
  segment.bytes += frame.length;
  await writeAll(segment.file, frame, position);
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
