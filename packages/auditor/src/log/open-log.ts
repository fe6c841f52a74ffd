/**
 * @module Opening a log for writing: lock, keys, recovery, and the first checkpoint. What is
 * composed here is explained in the files that it names.
 */
import { join, resolve } from "node:path";

import { allow, type Decision, refuse, type Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { formatTlogProof, openCheckpoint } from "@glovebox/tlog/checkpoint";
import { isKeyName, type NoteSigner, type VerifierKey } from "@glovebox/tlog/note";
import { TILE_WIDTH } from "@glovebox/tlog/tiles";
import { createTileTree, type TileTree } from "@glovebox/tlog/tree";

import { AuditorError } from "../errors.ts";
import {
  DEFAULT_MAX_QUEUED_ENTRIES,
  DEFAULT_SEAL_INTERVAL_MS,
  DEFAULT_SEGMENT_BYTES,
  MAX_ENTRY_BYTES,
  MAX_ORIGIN_CHARACTERS,
  MAX_QUEUED_BYTES,
  MAX_QUEUED_ENTRIES,
  MAX_SEAL_INTERVAL_MS,
  MAX_SEGMENT_BYTES,
  MIN_QUEUED_ENTRIES,
  MIN_SEGMENT_BYTES,
  QUEUE_RETRY_AFTER_MS,
  RESERVED_SHARE,
} from "../limits.ts";
import {
  checkDirectories,
  type LogFileSystem,
  nodeFileSystem,
  prepareDirectory,
} from "./file-system.ts";
import { GroupCommit } from "./group-commit.ts";
import { continueKeys } from "./log-keys.ts";
import type { AuditLog, LogEntry, LogPlace, LogPriority } from "./log.ts";
import { publishMinimumIndex, readMinimumIndex } from "./minimum-index.ts";
import { removeBelow } from "./prune.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import { readEntries } from "./read-entries.ts";
import { type CutTail, recoverLog } from "./recover.ts";
import { CHECKPOINT_FILE, type CheckpointCosigner, Sealer, sealFound } from "./seal.ts";
import { TileFiles, tileSourceOf } from "./tile-files.ts";
import { WAL_DIRECTORY, WriteAhead } from "./write-ahead.ts";
import { acquireLock, type LockDeps, type WriterLock } from "./writer-lock.ts";

/** Where a log is and how it behaves. */
export interface AuditLogOptions {
  /** A directory that belongs to this log alone; made with mode 0700 if it does not exist. */
  readonly directory: string;
  /** Names host and retention class, such as `host.example/security`; without spaces and plus. */
  readonly origin: string;
  /**
   * Entries that may wait to be written, 8–1,048,576. Default 65,536. One eighth of it is kept for
   * entries of priority `reserved`.
   */
  readonly maxQueuedEntries?: number;
  /** Milliseconds between checkpoints when nobody waits for one, 1 to a day. Default 100. */
  readonly sealIntervalMs?: number;
  /**
   * Bytes of a write-ahead file, 16 KiB–1 GiB. Default 16 MiB. There are two or three of them, and
   * opening after a crash reads at least one.
   */
  readonly segmentBytes?: number;
  /**
   * A file outside of the directory that keeps the last checkpoint, so that a log which was rolled
   * back is not continued. Default: none.
   */
  readonly anchorPath?: string;
}

/** What comes from outside; all but `signers` defaults to the machine's own. */
export interface AuditLogDeps {
  /**
   * The log's key, and during a rotation the other one; the first begins a new log. A function is
   * called once the directory is locked.
   */
  readonly signers: readonly NoteSigner[] | (() => Promise<NoteSigner>);
  /**
   * Has each checkpoint cosigned before it is published (`createCosigner` of the door `./witness`).
   * While it refuses nothing is sealed; what is durable stays so. Default: none.
   */
  readonly cosign?: CheckpointCosigner;
  readonly fileSystem?: LogFileSystem;
  /** How the directory is locked; what is not given is the machine's own. */
  readonly lock?: LockDeps | ((directory: string) => Promise<WriterLock>);
}

/** An open log, and what was found when it was opened. */
export interface OpenedLog {
  readonly log: AuditLog;
  /** An unfinished tail that was cut off. */
  readonly cut: CutTail | undefined;
  /** Whether the log is a new one. */
  readonly isNew: boolean;
}

/**
 * Opens the log of a directory for writing, or begins one.
 *
 * @throws {@link AuditorError} (`AUDITOR_OPTION`, `AUDITOR_DIRECTORY`, `AUDITOR_LOCKED`,
 *   `AUDITOR_LOG_INVALID`, `AUDITOR_ROLLBACK`, `AUDITOR_ORIGIN`, `AUDITOR_KEY`, `AUDITOR_SIGN`)
 */
export async function openAuditLog(
  options: AuditLogOptions,
  deps: AuditLogDeps,
): Promise<OpenedLog> {
  checkOptions(options);
  const { fileSystem = nodeFileSystem } = deps;
  const directory = resolve(options.directory);
  const { origin } = options;
  await prepareDirectory(directory, fileSystem);
  if (deps.fileSystem === undefined) await checkDirectories(directory);
  const lock = await (typeof deps.lock === "function"
    ? deps.lock(directory)
    : acquireLock(directory, deps.lock));
  try {
    const signers = typeof deps.signers === "function" ? [await deps.signers()] : deps.signers;
    checkSigners(origin, signers);
    const keys = await continueKeys(fileSystem, directory, origin, signers);
    await prepareDirectory(join(directory, WAL_DIRECTORY), fileSystem);
    const anchorPath = options.anchorPath === undefined ? undefined : resolve(options.anchorPath);
    const published = await readCheckpoint(
      fileSystem,
      join(directory, CHECKPOINT_FILE),
      origin,
      keys,
    );
    const prepared = await readCheckpoint(
      fileSystem,
      join(directory, `${CHECKPOINT_FILE}.tmp`),
      origin,
      keys,
      true,
    );
    const anchor =
      anchorPath === undefined
        ? undefined
        : await readCheckpoint(fileSystem, anchorPath, origin, keys);
    const tiles = new TileFiles(fileSystem, directory);
    const recovered = await recoverLog({
      fileSystem,
      directory,
      tiles,
      signed: [
        ...[published, prepared].flatMap((signed) =>
          signed === undefined ? [] : [[signed.checkpoint, "AUDITOR_LOG_INVALID"] as const],
        ),
        ...(anchor === undefined ? [] : [[anchor.checkpoint, "AUDITOR_ROLLBACK"] as const]),
      ],
    });
    const minimum = await readMinimumIndex(fileSystem, directory, origin, keys);
    if (!minimum.allowed)
      throw new AuditorError("AUDITOR_LOG_INVALID", { message: minimum.reason });
    const { tree, current, done, cut } = recovered;
    const signed = [published, prepared, anchor].flatMap((found) => found?.checkpoint ?? []);
    const lastSigned = signed.toSorted((a, b) => b.size - a.size)[0];
    const sealer = new Sealer({
      fileSystem,
      directory,
      origin,
      signers,
      cosign: deps.cosign,
      tiles,
      anchorPath,
      lastSigned,
    });
    const writeAhead = new WriteAhead(fileSystem, directory, current, done);
    const snapshot = tree.snapshot();
    // Partial tiles are never synced: a power cut can have left the checkpoint without them.
    if (published?.checkpoint.size === tree.size)
      for (const tile of snapshot.partial) await tiles.repair(tile);
    const sealed = await sealFound(sealer, snapshot, published);
    const commit = new GroupCommit(
      {
        origin,
        tree,
        writeAhead,
        tiles,
        sealer,
        sealIntervalMs: options.sealIntervalMs ?? DEFAULT_SEAL_INTERVAL_MS,
        segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
      },
      sealed.size,
      sealed.note,
    );
    const parts = {
      options,
      fileSystem,
      directory,
      signers,
      keys,
      lock,
      commit,
      tree,
      tiles,
      writeAhead,
    };
    return { log: logOver(parts, minimum.value), cut, isNew: published === undefined };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** What an open log consists of. */
interface Parts {
  readonly options: AuditLogOptions;
  readonly fileSystem: LogFileSystem;
  readonly directory: string;
  readonly signers: readonly NoteSigner[];
  readonly keys: readonly VerifierKey[];
  readonly lock: WriterLock;
  readonly commit: GroupCommit;
  readonly tree: ConstructorParameters<typeof GroupCommit>[0]["tree"];
  readonly tiles: TileFiles;
  readonly writeAhead: WriteAhead;
}

function logOver(parts: Parts, firstMinimumIndex: number): AuditLog {
  const { options, fileSystem, directory, signers, keys, lock, commit, writeAhead } = parts;
  const { origin } = options;
  const maxEntries = options.maxQueuedEntries ?? DEFAULT_MAX_QUEUED_ENTRIES;
  let minimumIndex = firstMinimumIndex;
  let pruning: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;
  let sealedTree: { readonly checkpoint: string; readonly tree: TileTree } | undefined;

  /** The tree of a checkpoint; it keeps tiles that the next proof needs, too. */
  function treeOf(checkpoint: string): TileTree {
    if (sealedTree?.checkpoint === checkpoint) return sealedTree.tree;
    const opened = openCheckpoint(checkpoint, keys);
    if (!opened.allowed) throw new AuditorError("AUDITOR_LOG_INVALID", { message: opened.reason });
    const tree = createTileTree(opened.value.size, tileSourceOf(fileSystem, directory));
    sealedTree = { checkpoint, tree };
    return tree;
  }

  function tryAppend(entry: LogEntry, priority: LogPriority = "ordinary"): Decision<LogPlace> {
    const refusal =
      closing === undefined ? undefined : unusable("AUDITOR_CLOSED", "the log is closed");
    if (refusal !== undefined) return refusal;
    if (commit.error !== undefined) return unusable(commit.error.code, commit.error.message);
    const share = priority === "reserved" ? 1 : 1 - 1 / RESERVED_SHARE;
    const isFull =
      commit.queuedEntries + 1 > maxEntries * share ||
      // Text has at least one byte for each of its units.
      commit.queuedBytes + entry.length > MAX_QUEUED_BYTES * share;
    if (isFull) return full(commit);
    if (typeof entry === "string" && !entry.isWellFormed()) {
      return refuse("AUDITOR_ENTRY_TEXT", "audit.entry", "an entry is well-formed Unicode");
    }
    const place = commit.append(entry);
    if (place !== undefined) return allow("audit.appended", place);
    const reason = `an entry of ${Buffer.byteLength(entry)} bytes is too large; at most ${MAX_ENTRY_BYTES}`;
    return refuse("AUDITOR_ENTRY_SIZE", "audit.entry", reason);
  }

  async function append(entry: LogEntry): Promise<LogPlace> {
    for (;;) {
      const decision = tryAppend(entry);
      if (decision.allowed) return decision.value;
      if (decision.code !== "AUDITOR_QUEUE_FULL") {
        throw new AuditorError(codeOf(decision), { message: decision.reason });
      }
      await commit.flush();
    }
  }

  async function prune(wanted: number): Promise<number> {
    if (!Number.isSafeInteger(wanted) || wanted < 0)
      throw optionError("minimumIndex is an index", wanted);
    // Recovery must not need an entry that is gone.
    await commit.retire();
    const sealed = commit.sealedSize;
    const next = Math.min(wanted, sealed) - (Math.min(wanted, sealed) % TILE_WIDTH);
    if (next <= minimumIndex || next > writeAhead.first) return minimumIndex;
    await publishMinimumIndex(fileSystem, directory, origin, next, signers);
    const from = minimumIndex;
    minimumIndex = next;
    await removeBelow(fileSystem, directory, from, next, sealed);
    return next;
  }

  async function closeOnce(): Promise<void> {
    try {
      if (commit.error === undefined) await commit.seal();
    } finally {
      await pruning.catch(() => undefined);
      await commit.stop();
      await writeAhead.close().catch(() => undefined);
      await lock.release();
    }
  }

  const close = (): Promise<void> => (closing ??= closeOnce());
  return {
    origin,
    state: () => ({
      nextIndex: commit.nextIndex,
      durableSize: commit.durableSize,
      sealedSize: commit.sealedSize,
      minimumIndex,
      queuedEntries: commit.queuedEntries,
      queuedBytes: commit.queuedBytes,
    }),
    checkpoint: () => commit.checkpoint,
    tryAppend,
    append,
    whenDurable: (place) => commit.whenDurable(place),
    whenSealed: (place) => commit.whenSealed(place),
    flush: () => commit.flush(),
    seal: () => commit.seal(),
    read(from = minimumIndex, to = commit.durableSize) {
      if (!Number.isSafeInteger(from) || from < minimumIndex) {
        throw new AuditorError("AUDITOR_PRUNED", {
          message: `entry ${from} lies below ${minimumIndex}`,
        });
      }
      return readEntries(parts, from, Math.min(to, commit.durableSize));
    },
    async whenGrown(size) {
      while (commit.durableSize <= size && commit.error === undefined) await commit.nextChange();
    },
    async prove(index) {
      const { checkpoint } = commit;
      const tree = treeOf(checkpoint);
      if (!(index >= minimumIndex)) throw new AuditorError("AUDITOR_PRUNED");
      if (!(index < tree.size)) throw new AuditorError("AUDITOR_PLACE");
      return formatTlogProof({ index, hashes: await tree.proveInclusion(index), checkpoint });
    },
    async proveConsistency(oldSize, size) {
      if (!(size <= commit.sealedSize)) throw new AuditorError("AUDITOR_PLACE");
      return treeOf(commit.checkpoint).proveConsistency(oldSize, size);
    },
    prune(wanted) {
      const pruned = pruning.catch(() => undefined).then(() => prune(wanted));
      pruning = pruned;
      return pruned;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function checkOptions(options: AuditLogOptions): void {
  const { directory, origin, maxQueuedEntries, sealIntervalMs, segmentBytes, anchorPath } = options;
  if (typeof directory !== "string" || directory === "")
    throw optionError("directory is a path", directory);
  if (!isKeyName(origin) || origin.length > MAX_ORIGIN_CHARACTERS) {
    throw optionError(
      `origin has 1–${MAX_ORIGIN_CHARACTERS} characters, no spaces and no plus`,
      origin,
    );
  }
  checkRange("maxQueuedEntries", maxQueuedEntries, MIN_QUEUED_ENTRIES, MAX_QUEUED_ENTRIES);
  checkRange("sealIntervalMs", sealIntervalMs, 1, MAX_SEAL_INTERVAL_MS);
  checkRange("segmentBytes", segmentBytes, MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES);
  const anchor = anchorPath === undefined ? undefined : resolve(anchorPath);
  if (anchor?.startsWith(`${resolve(directory)}/`) === true) {
    throw optionError("anchorPath lies outside of the log's directory", anchorPath);
  }
}

function checkSigners(origin: string, signers: readonly NoteSigner[]): void {
  if (signers.length > 0 && signers.every(({ name }) => name === origin)) return;
  throw optionError("signers have the origin as their name", signers[0]?.name);
}

function checkRange(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) return;
  throw optionError(`${name} is a whole number in ${min}–${max}`, value);
}

function optionError(expected: string, value: unknown): AuditorError {
  return new AuditorError("AUDITOR_OPTION", {
    message: `${expected}; received ${received(value)}`,
  });
}

function unusable(code: string, reason: string): Refusal {
  return refuse(code, "audit.log", reason);
}

function full({ queuedEntries, queuedBytes }: GroupCommit): Refusal {
  const reason = `no room for an entry: ${queuedEntries} entries of ${queuedBytes} bytes wait`;
  return refuse("AUDITOR_QUEUE_FULL", "audit.queue", reason, QUEUE_RETRY_AFTER_MS);
}

function codeOf({ code }: Refusal): AuditorError["code"] {
  return code as AuditorError["code"];
}
