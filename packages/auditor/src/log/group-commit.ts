/**
 * @module Group commit: events wait in ordered batches; one batch at a time is hashed into the chain,
 * written and synced (fdatasync), while the next one fills. A batch is written when someone waits for
 * it, when it is full, or two milliseconds after its first event, so that the beginning and the end
 * of a short call share one sync. A failed write or sync poisons the log:
 * after it nobody knows what is on the disk, and a second sync would say "done" of pages that the
 * kernel has already dropped (the "fsyncgate" of 2018), so that nothing is retried.
 *
 * This file is on the path of every call: batches are arrays and promises are made only when someone
 * asks for them.
 */
import type { AuditPlace, Receipt } from "@glovebox/core/ports";

import { AuditorError } from "../errors.ts";
import { COMMIT_DELAY_MS, MAX_BATCH_BYTES } from "../limits.ts";
import { GENESIS_HASH, writeLine } from "./chain-line.ts";
import type { LogFile } from "./log-file.ts";
import type { LogHead } from "./log-head.ts";

/** Events that reach the disk together. */
interface Batch {
  readonly first: number;
  readonly events: string[];
  readonly timesMs: number[];
  bytes: number;
  /** Made when someone waits; resolves to the log's size. */
  waiting: PromiseWithResolvers<number> | undefined;
  /** Set when the batch is durable. */
  size: number | undefined;
  error: AuditorError | undefined;
  /** Starts the writer, for one who waits. */
  readonly hurry: () => void;
}

/** What is fixed while a log is open. */
export interface GroupCommitOptions {
  readonly file: LogFile;
  readonly origin: string;
  readonly head: LogHead | undefined;
}

/** The queue and its writer. */
export interface GroupCommit {
  /** Events and bytes (of their JSON) that are not yet durable. */
  readonly queuedEvents: number;
  readonly queuedBytes: number;
  /** Why the log takes nothing more; `undefined` while it does. */
  readonly error: AuditorError | undefined;
  /** Head of what is durable; `undefined` for an empty log. */
  readonly head: LogHead | undefined;
  /** Takes the next place; the caller has looked at `error` and at the room that is left. */
  append(eventJson: string, bytes: number, timeMs: number): AuditPlace;
  whenDurable(place: number): Promise<Receipt>;
  /** Waits for everything that was appended so far. */
  flush(): Promise<void>;
}

/** Promises are made on demand, so that what nobody waits for costs nothing. */
class QueuedPlace implements AuditPlace {
  readonly place: number;
  readonly #batch: Batch;
  readonly #origin: string;

  constructor(place: number, batch: Batch, origin: string) {
    this.place = place;
    this.#batch = batch;
    this.#origin = origin;
  }

  get durable(): Promise<Receipt> {
    return receiptOf(this.#batch, this.place, this.#origin);
  }

  /** In this version the head of the chain is the seal: durable and sealed are one. */
  get sealed(): Promise<Receipt> {
    return this.durable;
  }
}

/** Starts an empty queue over an open file. */
export function createGroupCommit({ file, origin, head: start }: GroupCommitOptions): GroupCommit {
  let head = start;
  let chainHash = start?.hash ?? GENESIS_HASH;
  let nextPlace = start === undefined ? 0 : start.index + 1;
  let durableSize = nextPlace;
  let queuedEvents = 0;
  let queuedBytes = 0;
  let error: AuditorError | undefined;
  let isRunning = false;
  let delay: NodeJS.Timeout | undefined;
  /** In order of place; the first is being written while `isRunning`, the last is filling. */
  const batches: Batch[] = [];
  let filling: Batch | undefined;

  function append(eventJson: string, bytes: number, timeMs: number): AuditPlace {
    const place = nextPlace;
    nextPlace += 1;
    if (filling === undefined || filling.bytes + bytes > MAX_BATCH_BYTES) {
      if (filling !== undefined) startWriting();
      filling = newBatch(place, startWriting);
      batches.push(filling);
    }
    filling.events.push(eventJson);
    filling.timesMs.push(timeMs);
    filling.bytes += bytes;
    queuedEvents += 1;
    queuedBytes += bytes;
    if (!isRunning) delay ??= setTimeout(startWriting, COMMIT_DELAY_MS);
    return new QueuedPlace(place, filling, origin);
  }

  function startWriting(): void {
    clearTimeout(delay);
    delay = undefined;
    if (isRunning || batches.length === 0) return;
    isRunning = true;
    // After the current turn of the event loop, so that what is recorded together syncs together.
    setImmediate(() => void writeBatches());
  }

  /** Whether a batch should not wait for more events. */
  function isWanted(batch: Batch): boolean {
    return batch.waiting !== undefined || batch !== filling;
  }

  async function writeBatches(): Promise<void> {
    let [batch] = batches;
    while (batch !== undefined && error === undefined) {
      if (filling === batch) filling = undefined;
      try {
        await writeAll(file, chain(batch));
        await file.sync();
      } catch (cause) {
        poison(cause);
        break;
      }
      durableSize = batch.first + batch.events.length;
      head = Object.freeze({ index: durableSize - 1, hash: chainHash });
      queuedEvents -= batch.events.length;
      queuedBytes -= batch.bytes;
      batches.shift();
      batch.size = durableSize;
      batch.waiting?.resolve(durableSize);
      [batch] = batches;
      if (batch !== undefined && !isWanted(batch)) break;
    }
    isRunning = false;
    if (batches.length > 0) delay ??= setTimeout(startWriting, COMMIT_DELAY_MS);
  }

  function chain({ first, events, timesMs }: Batch): Buffer {
    let text = "";
    for (let offset = 0; offset < events.length; offset += 1) {
      const line = writeLine(events[offset] ?? "", first + offset, chainHash, timesMs[offset] ?? 0);
      chainHash = line.hash;
      text += line.text;
    }
    return Buffer.from(text);
  }

  function poison(cause: unknown): void {
    const message = `the log is not written to after a failure: ${describe(cause)}`;
    error = new AuditorError("AUDITOR_POISONED", { message, cause });
    for (const batch of batches) {
      batch.error = error;
      batch.waiting?.reject(error);
    }
    batches.length = 0;
    filling = undefined;
    queuedEvents = 0;
    queuedBytes = 0;
  }

  function whenDurable(place: number): Promise<Receipt> {
    if (place >= 0 && place < durableSize) {
      return Promise.resolve(Object.freeze({ origin, index: place, size: durableSize }));
    }
    const batch = batches.find(
      ({ first, events }) => place >= first && place < first + events.length,
    );
    if (batch !== undefined) return receiptOf(batch, place, origin);
    if (error !== undefined && place < nextPlace) return Promise.reject(error);
    const message = `no event was recorded at place ${place}`;
    return Promise.reject(new AuditorError("AUDITOR_PLACE", { message }));
  }

  async function flush(): Promise<void> {
    if (error !== undefined) throw error;
    if (nextPlace > durableSize) await whenDurable(nextPlace - 1);
  }

  return {
    get queuedEvents(): number {
      return queuedEvents;
    },
    get queuedBytes(): number {
      return queuedBytes;
    },
    get error(): AuditorError | undefined {
      return error;
    },
    get head(): LogHead | undefined {
      return head;
    },
    append,
    whenDurable,
    flush,
  };
}

function newBatch(first: number, hurry: () => void): Batch {
  return {
    first,
    events: [],
    timesMs: [],
    bytes: 0,
    waiting: undefined,
    size: undefined,
    error: undefined,
    hurry,
  };
}

function receiptOf(batch: Batch, index: number, origin: string): Promise<Receipt> {
  if (batch.size === undefined && batch.error === undefined) {
    batch.waiting ??= Promise.withResolvers<number>();
    batch.hurry();
  }
  const settled = batch.waiting?.promise ?? settledPromise(batch);
  const receipt = settled.then((size) => Object.freeze({ origin, index, size }));
  // Who asks for a promise and then waits for another one is not to blame for its failure.
  receipt.catch(() => undefined);
  return receipt;
}

function settledPromise({ size, error }: Batch): Promise<number> {
  return size === undefined ? Promise.reject(error) : Promise.resolve(size);
}

/** A write may take fewer bytes than it was given; one that takes none will take none for ever. */
async function writeAll(file: LogFile, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const taken = await file.write(bytes.subarray(written));
    if (!(taken > 0)) throw new Error("the file took no bytes");
    written += taken;
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
