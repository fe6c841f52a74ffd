/**
 * @module Reading a log that another process may be writing to, without its lock: what its published
 * checkpoint covers from its bundles, and what is newer from its write-ahead file. Nothing is verified
 * beyond the form; that is for `verifyAuditLog`.
 */
import { join, resolve } from "node:path";

import { parseCheckpoint } from "@glovebox/tlog/checkpoint";
import { parseNote } from "@glovebox/tlog/note";
import { splitBundle, TILE_WIDTH } from "@glovebox/tlog/tiles";

import { AuditorError } from "../errors.ts";
import { MAX_CHECKPOINT_BYTES } from "../limits.ts";
import { checkDirectories, nodeFileSystem } from "./file-system.ts";
import {
  FRAME_HEADER_BYTES,
  MAX_FRAME_BYTES,
  parseFrame,
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
} from "./frame.ts";
import { followKeys, readLogKeys } from "./log-keys.ts";
import type { StoredEntry } from "./log.ts";
import { readMinimumIndex } from "./minimum-index.ts";
import { CHECKPOINT_FILE } from "./seal.ts";
import { readTile } from "./tile-files.ts";
import { readWhole } from "./whole-file.ts";
import { listSegments } from "./write-ahead.ts";

/** What a reader sees at one moment. */
export interface ReaderState {
  readonly sealedSize: number;
  readonly minimumIndex: number;
}

/** A log to be read. */
export interface LogReader {
  readonly origin: string;
  /** Looks at the disk again. */
  state(): Promise<ReaderState>;
  /**
   * Entries from `from` to before `to`, by default all that are written; the newest may not be sealed
   * yet. @throws {@link AuditorError} (`AUDITOR_LOG_INVALID`)
   */
  read(from: number, to?: number): AsyncIterable<StoredEntry>;
}

/**
 * Opens the log of a directory for reading.
 *
 * @throws {@link AuditorError} (`AUDITOR_DIRECTORY`, `AUDITOR_LOG_INVALID`)
 */
export async function openLogReader(directory: string): Promise<LogReader> {
  const path = resolve(directory);
  await checkDirectories(path);
  const { origin } = await readCheckpoint(path);

  async function state(): Promise<ReaderState> {
    const { first, endorsements } = await readLogKeys(nodeFileSystem, path);
    const keys = first === undefined ? [] : followKeys([first], endorsements, origin);
    const minimum = await readMinimumIndex(nodeFileSystem, path, origin, keys);
    if (!minimum.allowed)
      throw new AuditorError("AUDITOR_LOG_INVALID", { message: minimum.reason });
    return { sealedSize: (await readCheckpoint(path)).size, minimumIndex: minimum.value };
  }

  async function* read(from: number, to = Infinity): AsyncGenerator<StoredEntry> {
    const { size } = await readCheckpoint(path);
    let index = from;
    while (index < Math.min(to, size)) {
      const bundle = Math.floor(index / TILE_WIDTH);
      const start = bundle * TILE_WIDTH;
      const width = Math.min(TILE_WIDTH, size - start);
      const bytes = await readTile(nodeFileSystem, path, {
        level: "entries",
        index: bundle,
        width,
      });
      // A partial bundle may have become a full one meanwhile.
      const offsets = [width, TILE_WIDTH]
        .map((count) => splitBundle(bytes ?? new Uint8Array(), count))
        .find(({ allowed }) => allowed);
      if (bytes === undefined || offsets?.allowed !== true) {
        throw new AuditorError("AUDITOR_LOG_INVALID", { message: `bundle ${bundle} is damaged` });
      }
      for (; index < Math.min(to, start + width); index += 1) {
        const at = index - start;
        yield { index, bytes: bytes.subarray(offsets.value[at], (offsets.value[at + 1] ?? 0) - 2) };
      }
    }
    for await (const entry of readWriteAhead(path)) {
      if (entry.index !== index) continue;
      if (index >= to) return;
      yield entry;
      index += 1;
    }
  }

  return { origin, state, read };
}

/** Entries of the write-ahead files; some may come twice, where one file begins in another. */
async function* readWriteAhead(path: string): AsyncGenerator<StoredEntry> {
  for (const segment of await listSegments(nodeFileSystem, path)) {
    const file = await nodeFileSystem.open(segment.path, "read");
    if (file === undefined) continue;
    try {
      const header = parseSegmentHeader(await file.read(0, SEGMENT_HEADER_BYTES));
      if (header === undefined) continue;
      for (let position = SEGMENT_HEADER_BYTES; ;) {
        const frame = parseFrame(await file.read(position, MAX_FRAME_BYTES), header.seed);
        if (frame === undefined) break;
        position += FRAME_HEADER_BYTES + frame.payload.length;
        const offsets = splitBundle(frame.payload, frame.count);
        if (!offsets.allowed) break;
        for (let at = 0; at < frame.count; at += 1) {
          const [start, next = 0] = offsets.value.subarray(at);
          yield { index: frame.first + at, bytes: frame.payload.subarray(start, next - 2) };
        }
      }
    } finally {
      await file.close();
    }
  }
}

async function readCheckpoint(
  path: string,
): Promise<{ readonly origin: string; readonly size: number }> {
  const raw = await readWhole(nodeFileSystem, join(path, CHECKPOINT_FILE), MAX_CHECKPOINT_BYTES);
  const note = parseNote(raw ?? "");
  const checkpoint = note.allowed ? parseCheckpoint(note.value.text) : note;
  if (checkpoint.allowed) return checkpoint.value;
  throw new AuditorError("AUDITOR_LOG_INVALID", { message: checkpoint.reason });
}
