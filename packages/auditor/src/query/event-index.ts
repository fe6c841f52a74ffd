/**
 * @module The index of one log: a file with a summary for each whole segment. It is derived: nothing
 * in it is not in the log, a wrong or missing part is built again, and without it a query only reads
 * more. What a query answers comes from the log itself.
 */
import { hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { AuditorError } from "../errors.ts";
import type { LoggedEvent } from "../event/event-members.ts";
import { readEvent } from "../event/read-event.ts";
import type { AuditLog } from "../log/log.ts";
import { createMutex } from "../mutex.ts";
import {
  isSummaryOf,
  SEGMENT_EVENTS,
  summarise,
  SUMMARY_BYTES,
  SUMMARY_FORMAT,
} from "./segment-summary.ts";

/** What the index needs of a log. */
export type IndexedLog = Pick<AuditLog, "origin" | "state" | "read">;

/** An open index. */
export interface EventIndex extends AsyncDisposable {
  /** Summarises the segments that have become whole. */
  update(): Promise<void>;
  /** Segments that are summarised, from the first. */
  readonly segments: number;
  /** The summary of a segment; `undefined` if it is not there or not whole. */
  summary(segment: number): Promise<Buffer | undefined>;
}

/** Summaries read at once: a query walks through them in order. */
const READ_AHEAD = 256;

/** Opens the index of a log in a file, or begins one. @throws {@link AuditorError} (`AUDITOR_DIRECTORY`) */
export async function openEventIndex(path: string, log: IndexedLog): Promise<EventIndex> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600).catch(
    (cause) => {
      const message = `${path} cannot be opened without following a link`;
      throw new AuditorError("AUDITOR_DIRECTORY", { message, cause });
    },
  );
  const header = headerOf(log.origin);
  const found = Buffer.alloc(SUMMARY_BYTES);
  await handle.read(found, 0, SUMMARY_BYTES, 0);
  // Another format, another log, or the beginning of a new file: all of it is built again.
  if (!found.equals(header)) {
    await handle.truncate(0);
    await handle.write(header, 0, SUMMARY_BYTES, 0);
  }
  return new FileIndex(handle, log, Math.floor((await handle.stat()).size / SUMMARY_BYTES) - 1);
}

/**
 * The index of a log that another process writes, as far as it has come; `undefined` if there is none
 * that fits. It is never written to.
 */
export async function readEventIndex(
  path: string,
  log: IndexedLog,
): Promise<EventIndex | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return undefined;
  const found = Buffer.alloc(SUMMARY_BYTES);
  await handle.read(found, 0, SUMMARY_BYTES, 0);
  if (!found.equals(headerOf(log.origin))) {
    await handle.close();
    return undefined;
  }
  return new FileIndex(handle, log, Math.floor((await handle.stat()).size / SUMMARY_BYTES) - 1);
}

class FileIndex implements EventIndex {
  readonly #handle: FileHandle;
  readonly #log: IndexedLog;
  readonly #exclusive = createMutex();
  #segments: number;
  #ahead = { first: 0, bytes: Buffer.alloc(0) };

  constructor(handle: FileHandle, log: IndexedLog, segments: number) {
    this.#handle = handle;
    this.#log = log;
    this.#segments = segments;
  }

  get segments(): number {
    return this.#segments;
  }

  update(): Promise<void> {
    return this.#exclusive(() => this.#update());
  }

  async summary(segment: number): Promise<Buffer | undefined> {
    if (segment < 0 || segment >= this.#segments) return undefined;
    const { first, bytes } = this.#ahead;
    const at = (segment - first) * SUMMARY_BYTES;
    if (at < 0 || at >= bytes.length) {
      await this.#readAhead(segment);
      return this.summary(segment);
    }
    const summary = bytes.subarray(at, at + SUMMARY_BYTES);
    return isSummaryOf(segment, summary) ? summary : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exclusive(() => this.#handle.close());
  }

  async #update(): Promise<void> {
    const { durableSize, minimumIndex } = this.#log.state();
    const whole = Math.floor(durableSize / SEGMENT_EVENTS);
    // A log that is shorter than its index is another one.
    if (this.#segments > whole) this.#segments = whole;
    // What is pruned has no events to summarise; its place in the file stays a hole.
    const from = Math.max(this.#segments, minimumIndex / SEGMENT_EVENTS);
    let events: (LoggedEvent | undefined)[] = [];
    let segment = from;
    if (from < whole) {
      for await (const { bytes } of this.#log.read(from * SEGMENT_EVENTS, whole * SEGMENT_EVENTS)) {
        const event = readEvent(bytes);
        events.push(event.allowed ? event.value : undefined);
        if (events.length < SEGMENT_EVENTS) continue;
        await this.#handle.write(summarise(segment, events), 0, SUMMARY_BYTES, placeOf(segment));
        events = [];
        segment += 1;
        this.#segments = segment;
      }
    }
    this.#ahead = { first: 0, bytes: Buffer.alloc(0) };
  }

  /** Forwards and backwards, since queries come from either end. */
  async #readAhead(segment: number): Promise<void> {
    const first = segment - (segment % READ_AHEAD);
    const buffer = Buffer.alloc(READ_AHEAD * SUMMARY_BYTES);
    await this.#handle.read(buffer, 0, buffer.length, placeOf(first));
    this.#ahead = { first, bytes: buffer };
  }
}

/** The first place is the header's. */
function placeOf(segment: number): number {
  return (segment + 1) * SUMMARY_BYTES;
}

function headerOf(origin: string): Buffer {
  const header = Buffer.alloc(SUMMARY_BYTES);
  header.write(`${SUMMARY_FORMAT}\n${hash("sha256", origin)}\n`, "latin1");
  return header;
}
