/**
 * @module Group commit: entries wait in ordered batches; one batch at a time is written and synced
 * (fdatasync) while the next one fills. A batch is written when someone waits for it, when it is
 * full, or two milliseconds after its first entry, so that the beginning and the end of a short call
 * share one sync. Its entries are hashed while the disk works, and sealed later, several batches at
 * once. A failed write or sync poisons the log: after it nobody knows what is on the disk, and a
 * second sync would say "done" of pages that the kernel has already dropped (the "fsyncgate" of
 * 2018), so that nothing is retried.
 *
 * This file is on the path of every call (bench `auditor`): promises are made only when someone asks.
 */
import type { Receipt } from "@glovebox/core/ports";

import { AuditorError } from "../errors.ts";
import { COMMIT_DELAY_MS, MAX_BATCH_BYTES, SEAL_RETRY_MS } from "../limits.ts";
import { Batch } from "./batch.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import type { LogTree, TreeSnapshot } from "./log-tree.ts";
import type { LogEntry, LogPlace } from "./log.ts";
import type { Sealer } from "./seal.ts";
import type { TileFiles } from "./tile-files.ts";
import type { WriteAhead } from "./write-ahead.ts";

/** What is fixed while a log is open. */
export interface GroupCommitParts {
  readonly origin: string;
  readonly tree: LogTree;
  readonly writeAhead: WriteAhead;
  readonly tiles: TileFiles;
  readonly sealer: Sealer;
  /** Milliseconds between checkpoints when nobody waits for one. */
  readonly sealIntervalMs: number;
  /** Bytes after which the write-ahead file goes on in another segment. */
  readonly segmentBytes: number;
}

/** Someone who waits for a checkpoint that covers an entry. */
interface SealWaiter {
  readonly index: number;
  readonly promise: PromiseWithResolvers<number>;
}

/** The queue of a log and what empties it. */
export class GroupCommit {
  queuedEntries = 0;
  queuedBytes = 0;
  nextIndex: number;
  durableSize: number;
  sealedSize: number;
  /** The published checkpoint. */
  checkpoint: string;
  /** Why the log takes nothing more; `undefined` while it does. */
  error: AuditorError | undefined;

  readonly #parts: GroupCommitParts;
  /** In order; the first is being written while `#isWriting`, the last may be filling. */
  readonly #batches: Batch[] = [];
  #filling: Batch | undefined;
  #isWriting = false;
  #isSealing = false;
  #wantsSeal = false;
  #wantsRotation = false;
  #retiring: Promise<void> = Promise.resolve();
  #delay: NodeJS.Timeout | undefined;
  #sealDelay: NodeJS.Timeout | undefined;
  #waiters: SealWaiter[] = [];
  /** Resolved at each change that somebody may wait for. */
  #progress: PromiseWithResolvers<void> | undefined;

  constructor(parts: GroupCommitParts, sealedSize: number, checkpoint: string) {
    this.#parts = parts;
    this.nextIndex = parts.tree.size;
    this.durableSize = parts.tree.size;
    this.sealedSize = sealedSize;
    this.checkpoint = checkpoint;
  }

  /** Takes the next place, or answers `undefined` for an entry that is too large. */
  append(entry: LogEntry): LogPlace | undefined {
    const full = this.#filling !== undefined && this.#filling.used > MAX_BATCH_BYTES;
    const batch = this.#filling === undefined || full ? new Batch(this.nextIndex) : this.#filling;
    const bytes = batch.add(entry);
    if (bytes < 0) return undefined;
    if (batch !== this.#filling) {
      if (full) this.#startWriting();
      this.#filling = batch;
      this.#batches.push(batch);
    }
    const place = this.nextIndex;
    this.nextIndex += 1;
    this.queuedEntries += 1;
    this.queuedBytes += bytes;
    if (!this.#isWriting && this.#delay === undefined) {
      this.#delay = setTimeout(() => this.#startWriting(), COMMIT_DELAY_MS);
    }
    return new QueuedPlace(place, batch, this);
  }

  /** The receipt of a place in a batch. */
  receiptOf(batch: Batch, index: number): Promise<Receipt> {
    if (batch.durableSize === undefined && batch.error === undefined) {
      batch.waiting ??= Promise.withResolvers<number>();
      this.#startWriting();
    }
    return this.#receipt(batch.waiting?.promise ?? settledPromise(batch), index);
  }

  async whenDurable(index: number): Promise<Receipt> {
    const { origin } = this.#parts;
    if (index >= 0 && index < this.durableSize)
      return Object.freeze({ origin, index, size: this.durableSize });
    const batch = this.#batches.find(({ first, end }) => index >= first && index < end);
    if (batch !== undefined) return this.receiptOf(batch, index);
    throw this.#noPlace(index);
  }

  whenSealed(index: number): Promise<Receipt> {
    if (index >= 0 && index < this.sealedSize)
      return this.#receipt(Promise.resolve(this.sealedSize), index);
    if (this.error !== undefined || !(index >= 0 && index < this.nextIndex)) {
      return this.#receipt(Promise.reject(this.#noPlace(index)), index);
    }
    const promise = Promise.withResolvers<number>();
    this.#waiters.push({ index, promise });
    this.#startWriting();
    this.#requestSeal();
    return this.#receipt(promise.promise, index);
  }

  #noPlace(index: number): AuditorError {
    if (this.error !== undefined && index >= 0 && index < this.nextIndex) return this.error;
    return new AuditorError("AUDITOR_PLACE", {
      message: `no entry was appended at place ${index}`,
    });
  }

  async flush(): Promise<void> {
    if (this.error !== undefined) throw this.error;
    if (this.nextIndex > this.durableSize) await this.whenDurable(this.nextIndex - 1);
  }

  async seal(): Promise<void> {
    if (this.error !== undefined) throw this.error;
    if (this.nextIndex > this.sealedSize) await this.whenSealed(this.nextIndex - 1);
  }

  /** Resolves at the next change of `durableSize`, of the queue, or of `error`. */
  nextChange(): Promise<void> {
    this.#progress ??= Promise.withResolvers<void>();
    return this.#progress.promise;
  }

  /**
   * Makes every full tile durable and lets go of the write-ahead files before them, so that what is
   * pruned lies in none of them, nor behind the end of the one that goes on.
   */
  async retire(): Promise<void> {
    if (this.error !== undefined) throw this.error;
    const { writeAhead } = this.#parts;
    writeAhead.recycles = false;
    try {
      this.#wantsRotation = true;
      this.#startWriting();
      while (this.#wantsRotation && this.error === undefined) await this.nextChange();
      // What the new segment begins after is to be sealed before the old one can go.
      await this.seal();
      await this.#retireDone();
      await writeAhead.dropSpare();
    } finally {
      writeAhead.recycles = true;
    }
    if (this.error !== undefined) throw this.error;
  }

  /** Stops the timers; nothing is written any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#delay);
    clearTimeout(this.#sealDelay);
    this.error ??= new AuditorError("AUDITOR_CLOSED");
    while (this.#isWriting || this.#isSealing) await this.nextChange();
    await this.#retiring;
    await this.#parts.tiles.idle().catch(() => undefined);
    this.#changed();
  }

  #startWriting(): void {
    clearTimeout(this.#delay);
    this.#delay = undefined;
    if (this.#isWriting || (this.#batches.length === 0 && !this.#wantsRotation)) return;
    this.#isWriting = true;
    // After the current turn of the event loop, so that what is appended together syncs together.
    setImmediate(() => void this.#writeBatches());
  }

  async #writeBatches(): Promise<void> {
    try {
      let [batch] = this.#batches;
      while (batch !== undefined && this.error === undefined) {
        if (this.#filling === batch) this.#filling = undefined;
        await this.#commit(batch);
        if (this.#parts.writeAhead.bytes >= this.#parts.segmentBytes) await this.#rotate();
        [batch] = this.#batches;
        // A batch that still fills and that nobody waits for may wait for more.
        if (batch !== undefined && batch === this.#filling && batch.waiting === undefined) break;
      }
      if (this.#wantsRotation && this.error === undefined) await this.#rotate();
    } catch (cause) {
      this.poison(cause);
    }
    this.#isWriting = false;
    if (this.#batches.length > 0 && this.error === undefined) {
      this.#delay ??= setTimeout(() => this.#startWriting(), COMMIT_DELAY_MS);
    }
    if (this.#wantsSeal) this.#trySeal();
    this.#changed();
  }

  async #commit(batch: Batch): Promise<void> {
    const { writeAhead, tree, tiles } = this.#parts;
    const frame = batch.frame();
    await writeAhead.write(frame, batch.first, batch.count);
    const synced = writeAhead.sync();
    // Should hashing fail, the sync's own failure is nobody's.
    synced.catch(() => undefined);
    tree.add(frame, FRAME_HEADER_BYTES, frame.length);
    await synced;
    // Sealing failed meanwhile, and everyone was told.
    if (this.error !== undefined) return;
    this.durableSize = batch.end;
    this.queuedEntries -= batch.count;
    this.queuedBytes -= frame.length - FRAME_HEADER_BYTES - 2 * batch.count;
    this.#batches.shift();
    batch.durableSize = this.durableSize;
    batch.waiting?.resolve(this.durableSize);
    batch.release();
    tiles.start(tree.takeFilled());
    this.#afterCommit();
    if (tiles.isBehind) await tiles.idle();
  }

  /** The tree now holds exactly what is durable: the only moment to take a picture of it. */
  #afterCommit(): void {
    if (this.#waiters.length > 0 || this.#wantsSeal) this.#trySeal();
    else if (!this.#isSealing) {
      this.#sealDelay ??= setTimeout(() => this.#requestSeal(), this.#parts.sealIntervalMs);
    }
    this.#changed();
  }

  #requestSeal(): void {
    this.#wantsSeal = true;
    if (!this.#isWriting) this.#trySeal();
  }

  /** Not while a batch is written: between batches the tree holds exactly what is durable. */
  #trySeal(): void {
    const { tree } = this.#parts;
    clearTimeout(this.#sealDelay);
    this.#sealDelay = undefined;
    if (this.#isSealing || this.error !== undefined) return;
    this.#wantsSeal = false;
    if (tree.size === this.sealedSize) return;
    this.#isSealing = true;
    void this.#seal(tree.snapshot());
  }

  async #seal(snapshot: TreeSnapshot): Promise<void> {
    let delayMs = this.#parts.sealIntervalMs;
    try {
      this.checkpoint = await this.#parts.sealer.seal(snapshot);
      this.sealedSize = snapshot.size;
      this.#settleWaiters();
      void this.#retireDone();
    } catch (cause) {
      if (cause instanceof AuditorError && cause.code === "AUDITOR_SIGN") this.#signFailed(cause);
      else this.poison(cause);
      delayMs = Math.max(delayMs, SEAL_RETRY_MS);
    }
    this.#isSealing = false;
    this.#changed();
    if (this.error !== undefined) return;
    if (this.#waiters.length > 0) this.#requestSeal();
    else if (this.durableSize > this.sealedSize) {
      this.#sealDelay ??= setTimeout(() => this.#requestSeal(), delayMs);
    }
  }

  #settleWaiters(): void {
    const settled = this.#waiters.filter(({ index }) => index < this.sealedSize);
    if (settled.length === 0) return;
    this.#waiters = this.#waiters.filter(({ index }) => index >= this.sealedSize);
    for (const { promise } of settled) promise.resolve(this.sealedSize);
  }

  /** A key that cannot be reached seals nothing, but what is durable stays so. */
  #signFailed(error: AuditorError): void {
    for (const { promise } of this.#waiters.splice(0)) promise.reject(error);
  }

  async #rotate(): Promise<void> {
    const { writeAhead, tree } = this.#parts;
    this.#wantsRotation = false;
    await writeAhead.rotate(tree.bundleStart, tree.bundle);
  }

  /** One at a time, beside everything else: syncing hundreds of tiles takes its time. */
  #retireDone(): Promise<void> {
    const { writeAhead, tiles } = this.#parts;
    this.#retiring = this.#retiring.then(async () => {
      // Recovery begins at a segment's start, and compares with the checkpoint from there on.
      const size = this.sealedSize;
      if (this.error !== undefined || !writeAhead.hasDone(size)) return;
      try {
        await tiles.syncAll();
        await writeAhead.retire(size);
      } catch (cause) {
        this.poison(cause);
      }
    });
    return this.#retiring;
  }

  poison(cause: unknown): void {
    if (this.error !== undefined) return;
    const message = `the log is not written to after a failure: ${cause instanceof Error ? cause.message : String(cause)}`;
    this.error =
      cause instanceof AuditorError && cause.code === "AUDITOR_FORK"
        ? cause
        : new AuditorError("AUDITOR_POISONED", { message, cause });
    for (const batch of this.#batches.splice(0)) {
      batch.error = this.error;
      batch.waiting?.reject(this.error);
    }
    for (const { promise } of this.#waiters.splice(0)) promise.reject(this.error);
    this.#filling = undefined;
    this.queuedEntries = 0;
    this.queuedBytes = 0;
    clearTimeout(this.#delay);
    clearTimeout(this.#sealDelay);
  }

  #changed(): void {
    this.#progress?.resolve();
    this.#progress = undefined;
  }

  #receipt(size: Promise<number>, index: number): Promise<Receipt> {
    const { origin } = this.#parts;
    const receipt = size.then((value) => Object.freeze({ origin, index, size: value }));
    // Who asks for a promise and then waits for another one is not to blame for its failure.
    receipt.catch(() => undefined);
    return receipt;
  }
}

/** Promises are made on demand, so that what nobody waits for costs nothing. */
class QueuedPlace implements LogPlace {
  readonly place: number;
  readonly #batch: Batch;
  readonly #commit: GroupCommit;

  constructor(place: number, batch: Batch, commit: GroupCommit) {
    this.place = place;
    this.#batch = batch;
    this.#commit = commit;
  }

  get durable(): Promise<Receipt> {
    return this.#commit.receiptOf(this.#batch, this.place);
  }

  get sealed(): Promise<Receipt> {
    return this.#commit.whenSealed(this.place);
  }
}

function settledPromise({ durableSize, error }: Batch): Promise<number> {
  return durableSize === undefined ? Promise.reject(error) : Promise.resolve(durableSize);
}
