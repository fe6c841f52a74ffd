/**
 * @module A log of opaque entries, as those see it who stand on it: the events, their index, the
 * sinks. An entry has its place at once, is *durable* once it is synced, and *sealed* once a signed
 * checkpoint that covers it is published (C2SP tlog-tiles, tlog-checkpoint). Nothing is ever signed
 * that is not durable.
 */
import type { Decision } from "@glovebox/core/decision";
import type { Receipt } from "@glovebox/core/ports";

/** An entry as bytes, or as well-formed text that is written in UTF-8: 0–65,535 bytes. */
export type LogEntry = Uint8Array | string;

/**
 * Which room an entry may take: `reserved` room is kept for operators and defences, so that a flood
 * of ordinary entries cannot keep theirs out.
 */
export type LogPriority = "ordinary" | "reserved";

/** An entry's place. The promises are made when they are asked for. */
export interface LogPlace {
  /** Index of the entry; (origin, index) names it among all logs. */
  readonly place: number;
  readonly durable: Promise<Receipt>;
  readonly sealed: Promise<Receipt>;
}

/** An entry that was read back: a view that is not written to later. */
export interface StoredEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** What can be said of a log at one moment. */
export interface LogState {
  /** Entries with a place. */
  readonly nextIndex: number;
  /** Entries that are synced; what can be read. */
  readonly durableSize: number;
  /** Entries that the published checkpoint covers. */
  readonly sealedSize: number;
  /** Entries below it may be pruned: they are proved, and their bytes are gone. */
  readonly minimumIndex: number;
  readonly queuedEntries: number;
  readonly queuedBytes: number;
}

/** An open log; there is one writer. */
export interface AuditLog extends AsyncDisposable {
  /** Names the log, its host and its retention class. */
  readonly origin: string;
  state(): LogState;
  /** The published checkpoint, a signed note; a new log publishes one of size 0. */
  checkpoint(): string;
  /**
   * Takes the next place without touching the disk. The entry is copied. Refuses an entry that is
   * too large (`AUDITOR_ENTRY_SIZE`), and when the queue is full, the log broken or closed.
   */
  tryAppend(entry: LogEntry, priority?: LogPriority): Decision<LogPlace>;
  /** As `tryAppend`, but waits while the queue is full. @throws {@link AuditorError} */
  append(entry: LogEntry): Promise<LogPlace>;
  /** The receipt of a place, however long ago it was taken. @throws {@link AuditorError} */
  whenDurable(place: number): Promise<Receipt>;
  whenSealed(place: number): Promise<Receipt>;
  /** Resolves when all that was appended so far is durable. @throws {@link AuditorError} */
  flush(): Promise<void>;
  /** Resolves when all that was appended so far is sealed. @throws {@link AuditorError} */
  seal(): Promise<void>;
  /**
   * Durable entries from `from` (default: the minimum index) to before `to` (default: the durable
   * size when reading began), in order; a bundle of 256 entries is in memory at a time.
   *
   * @throws {@link AuditorError} (`AUDITOR_PRUNED`) if `from` lies below the minimum index.
   */
  read(from?: number, to?: number): AsyncIterable<StoredEntry>;
  /** Resolves once the durable size exceeds `size`, or the log is closed: for tails. */
  whenGrown(size: number): Promise<void>;
  /** A `.tlog-proof` of a sealed entry (C2SP tlog-proof). @throws {@link AuditorError} */
  prove(index: number): Promise<string>;
  /** That the tree of `size` entries, sealed by now, continues the one of `oldSize` (RFC 6962 section 2.1.2). */
  proveConsistency(oldSize: number, size: number): Promise<readonly Uint8Array[]>;
  /**
   * Publishes a higher minimum index, rounded down to whole bundles of 256 and to what is sealed,
   * then removes what lies below it. Answers the minimum index that now holds. The caller decides
   * by class and legal hold, and records the event before.
   */
  prune(minimumIndex: number): Promise<number>;
  /** Refuses new entries, seals what waits and lets go of the directory. */
  close(): Promise<void>;
}
