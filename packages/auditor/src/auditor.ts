/**
 * @module The audit log of a host behind the port of contract.md 7 (invariant I6): `record` takes an
 * event's place in an ordered, bounded queue before the effect that it tells of, and says when it is
 * durable and when a signed checkpoint covers it. A full, broken or closed log refuses, and then the
 * effect must not happen.
 *
 * This file opens what the trail stands on: a log per retention class, the host's key, the keys of
 * persons.
 */
import { join, resolve } from "node:path";

import { type Clock, systemClock } from "@glovebox/core/clock";
import { refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { DecisionLog } from "@glovebox/core/ports";
import { isKeyName, type NoteSigner } from "@glovebox/tlog/note";

import { openClassLog, originOf, policyOf } from "./class-logs.ts";
import { AuditorError } from "./errors.ts";
import { RETENTION_CLASSES, type RetentionClass } from "./event/event-kinds.ts";
import { readEvent } from "./event/read-event.ts";
import { MIN_CLEAN_UP_MS } from "./limits.ts";
import { type LogFileSystem, nodeFileSystem, prepareDirectory } from "./log/file-system.ts";
import type { AuditLog } from "./log/log.ts";
import type { OpenedLog } from "./log/open-log.ts";
import { acquireLock, type LockDeps } from "./log/writer-lock.ts";
import { type Disk, diskOf } from "./record/disk-reserve.ts";
import type { FloodReport } from "./record/flood.ts";
import { openSubjectKeyFiles } from "./subject/key-files.ts";
import type { SubjectKeyStore } from "./subject/subject-keys.ts";
import { createTrail, type OwnedTrail, type Trail, type TrailOptions } from "./trail.ts";

/**
 * When an event must be durable: before its `effect`, before the call's `return`, or at some time
 * (`async`, a named loosening).
 */
export type AuditDurability = "effect" | "return" | "async";

/** Where the logs are and how they behave. */
export interface AuditorOptions extends TrailOptions {
  /**
   * A directory that belongs to the auditor alone; made with mode 0700 if it does not exist. Each
   * class has a log in it, in a directory of that name.
   */
  readonly directory: string;
  /**
   * Names the host: a log's origin is this, a slash, and its class. At most 100 characters, no spaces
   * and no plus. Default: as the existing logs say, or `glovebox/` and a random UUID for new ones.
   */
  readonly origin?: string;
  /** For the runtime, which waits accordingly; the log itself is equally fast. Default `return`. */
  readonly durability?: AuditDurability;
  /**
   * Events that may wait to be written, of each class, 8–1,048,576. Default 65,536. One eighth of it
   * is kept for the kinds marked `reserved` in `EVENT_KINDS`.
   */
  readonly maxQueuedEvents?: number;
  /**
   * Text of a policy file (C2SP tlog-policy): each checkpoint is published once the quorum of its
   * witnesses has cosigned it; those with a URL are asked. Its `log` lines are for who verifies. Until
   * then nothing is sealed, and what is durable stays so. Default: none.
   */
  readonly witnessPolicy?: string;
  /**
   * Milliseconds between checkpoints when nobody waits for one, 1 to a day. Default 100, with
   * witnesses 1,000.
   */
  readonly sealIntervalMs?: number;
  /** Classes to keep. Default: all. */
  readonly classes?: readonly RetentionClass[];
  /**
   * `clear`, a loosening: persons are recorded in the clear, and nobody can be erased. Default
   * `encrypted`.
   */
  readonly personalData?: "encrypted" | "clear";
  /** Where the last checkpoint of each class is kept. Default: the directory's name and `.checkpoints`. */
  readonly anchorDirectory?: string;
  /** Where persons' keys are kept. Default: the directory's name and `.keys`. */
  readonly keyDirectory?: string;
  /** Copies of the key directory, such as restored backups; an erasure reaches them, too. */
  readonly keyCopies?: readonly string[];
}

/** What comes from outside; the defaults are the machine's own. */
export interface AuditorDeps {
  readonly clock?: Clock;
  /**
   * The key of the log of an origin, and during a rotation the one before. Default: a key per class,
   * in a file named as the directory with the class and `.key` after it.
   */
  readonly signers?: (origin: string) => Promise<readonly NoteSigner[]>;
  /** Default: files in `keyDirectory`. The auditor closes it. */
  readonly subjectKeys?: SubjectKeyStore;
  /** Wraps the keys of persons, 32 bytes. Default: a file in `keyDirectory`. */
  readonly wrappingKey?: Uint8Array;
  /** Told when a plugin is over its budget of events, at most once a second each. */
  readonly onFlood?: (report: FloodReport) => void;
  readonly fileSystem?: LogFileSystem;
  readonly lock?: LockDeps;
  readonly disk?: Disk;
  readonly random?: () => number;
}

/** The open logs of a host. */
export interface Auditor extends DecisionLog, Trail, AsyncDisposable {
  /** Names the host; a log's origin is this, a slash, and its class. */
  readonly origin: string;
  readonly durability: AuditDurability;
  /** The logs by class, for opaque entries, proofs and checkpoints. */
  readonly logs: ReadonlyMap<RetentionClass, AuditLog>;
  /** Resolves when all that was recorded so far is durable. @throws {@link AuditorError} */
  flush(): Promise<void>;
  /**
   * Refuses new events, seals what waits, says so in every log and lets go of the directory.
   *
   * @throws {@link AuditorError} (`AUDITOR_SIGN`) when a log's end is durable and not sealed: the next
   *   opening does that.
   */
  close(): Promise<void>;
}

const DURABILITIES: readonly string[] = ["effect", "return", "async"];
const PERSONAL_DATA: readonly string[] = ["encrypted", "clear"];
const CLASSES = Object.keys(RETENTION_CLASSES) as readonly RetentionClass[];

/**
 * Opens the logs of a directory for writing, or begins them. An unfinished end is cut off, and an
 * `interrupted` event tells of it, or of a writer that ended without closing.
 *
 * @throws {@link AuditorError} (`AUDITOR_OPTION`, `AUDITOR_DIRECTORY`, `AUDITOR_LOCKED`,
 *   `AUDITOR_LOG_INVALID`, `AUDITOR_ROLLBACK`, `AUDITOR_ORIGIN`, `AUDITOR_KEY`, `AUDITOR_HOLD`,
 *   `AUDITOR_SUBJECT_KEYS`)
 *
 * @example
 * ```ts
 * await using auditor = await openAuditor({ directory: "/var/lib/host/audit" });
 * const decision = auditor.record({ pluginId }, { kind: "load", success: true });
 * if (decision.allowed) await decision.value.durable;
 * ```
 */
export async function openAuditor(
  options: AuditorOptions,
  deps: AuditorDeps = {},
): Promise<Auditor> {
  checkOptions(options);
  const policy = options.witnessPolicy === undefined ? undefined : policyOf(options.witnessPolicy);
  const { clock = systemClock } = deps;
  const directory = resolve(options.directory);
  const classes = CLASSES.filter((kept) => (options.classes ?? CLASSES).includes(kept));
  await prepareDirectory(directory, deps.fileSystem ?? nodeFileSystem);
  // One writer for all logs of a host: each has a lock of its own, too.
  const lock = await acquireLock(directory, deps.lock);
  /** Closed in reverse when opening fails. */
  const opened: OpenedLog[] = [];
  let keys: SubjectKeyStore | undefined;
  let trail: OwnedTrail | undefined;
  try {
    const origin = await originOf(options.origin, directory, classes);
    const logs = new Map<RetentionClass, AuditLog>();
    for (const kept of classes) {
      const log = await openClassLog(kept, directory, `${origin}/${kept}`, {
        ...options,
        ...deps,
        policy,
      });
      opened.push(log);
      logs.set(kept, log.log);
    }
    keys = options.personalData === "clear" ? undefined : await openKeys(directory, options, deps);
    trail = await createTrail(options, {
      directory,
      logs,
      keys,
      clock,
      disk: deps.disk ?? diskOf(directory, join(directory, "reserve")),
      random: deps.random ?? Math.random,
      onFlood: deps.onFlood ?? ignore,
    });
    for (const [at, kept] of classes.entries()) await begin(trail, kept, opened[at]);
    const release = async (): Promise<void> => {
      await keys?.[Symbol.asyncDispose]();
      await lock.release();
    };
    const auditor = auditorOver(trail, logs, origin, options.durability ?? "return", release);
    await auditor.flush();
    return auditor;
  } catch (error) {
    await trail?.close().catch(ignore);
    for (const { log } of opened.toReversed()) await log.close().catch(ignore);
    await keys?.[Symbol.asyncDispose]();
    await lock.release();
    throw error;
  }
}

async function openKeys(
  directory: string,
  { keyDirectory = `${directory}.keys`, keyCopies = [] }: AuditorOptions,
  { subjectKeys, wrappingKey }: AuditorDeps,
): Promise<SubjectKeyStore> {
  if (subjectKeys !== undefined) return subjectKeys;
  return openSubjectKeyFiles({
    directory: keyDirectory,
    copies: keyCopies,
    ...(wrappingKey === undefined ? {} : { wrappingKey }),
  });
}

/** The first events of a writer in each log: that it is there, and what it found. */
async function begin(trail: OwnedTrail, kept: RetentionClass, found?: OpenedLog): Promise<void> {
  if (found === undefined) return;
  const { log, cut, isNew } = found;
  const wasClosed = isNew || (await lastKind(log)) === "closed";
  const opened = { kind: "opened", success: true, details: { origin: log.origin } };
  trail.recorder.recordOwn(opened, {}, kept);
  if (cut === undefined && wasClosed) return;
  const details = cut === undefined ? {} : { cutBytes: cut.bytes, cutSha256: cut.sha256 };
  trail.recorder.recordOwn({ kind: "interrupted", success: false, details }, {}, kept);
}

async function lastKind(log: AuditLog): Promise<string | undefined> {
  const { durableSize, minimumIndex } = log.state();
  if (durableSize <= minimumIndex) return undefined;
  for await (const { bytes } of log.read(durableSize - 1)) {
    const event = readEvent(bytes);
    return event.allowed ? event.value.kind : undefined;
  }
  return undefined;
}

function auditorOver(
  trail: OwnedTrail,
  logs: ReadonlyMap<RetentionClass, AuditLog>,
  origin: string,
  durability: AuditDurability,
  release: () => Promise<void>,
): Auditor {
  let closing: Promise<void> | undefined;

  async function flush(): Promise<void> {
    for (const log of logs.values()) await log.flush();
  }

  async function closeOnce(): Promise<void> {
    const [ended] = await Promise.allSettled([trail.close()]);
    // At once: each may wait for witnesses, and none may keep the others open.
    const closed = [ended, ...(await Promise.allSettled([...logs].map(closeOne)))];
    await release();
    for (const one of closed) if (one.status === "rejected") throw one.reason;
  }

  async function closeOne([kept, log]: [RetentionClass, AuditLog]): Promise<void> {
    // A full queue would refuse the last event.
    await log.flush().catch(ignore);
    trail.recorder.recordOwn({ kind: "closed", success: true }, {}, kept);
    await log.close();
  }

  const close = (): Promise<void> => (closing ??= closeOnce());
  return {
    ...trail,
    origin,
    durability,
    logs,
    record: (scope, event) =>
      closing === undefined
        ? trail.record(scope, event)
        : refuse("AUDITOR_CLOSED", "audit.log", "the log is closed"),
    flush,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function checkOptions({
  directory,
  origin,
  durability,
  personalData,
  classes,
  retentionDays,
  cleanUpEveryMs,
}: AuditorOptions): void {
  if (typeof directory !== "string" || directory === "") {
    throw optionError("directory is a path", directory);
  }
  if (durability !== undefined && !DURABILITIES.includes(durability)) {
    throw optionError(`durability is ${DURABILITIES.join(", ")}`, durability);
  }
  // How long it may be is for each log to say, which adds its class.
  if (origin !== undefined && !isKeyName(origin)) {
    throw optionError("origin is a name without spaces and plus", origin);
  }
  if (personalData !== undefined && !PERSONAL_DATA.includes(personalData)) {
    throw optionError(`personalData is ${PERSONAL_DATA.join(", ")}`, personalData);
  }
  if (
    classes !== undefined &&
    (classes.length === 0 || !classes.every((kept) => CLASSES.includes(kept)))
  ) {
    throw optionError(`classes are some of ${CLASSES.join(", ")}`, classes.join(", "));
  }
  if (cleanUpEveryMs !== undefined && !(cleanUpEveryMs >= MIN_CLEAN_UP_MS)) {
    throw optionError(`cleanUpEveryMs is ${MIN_CLEAN_UP_MS} or more`, cleanUpEveryMs);
  }
  for (const [kept, days] of Object.entries(retentionDays ?? {})) {
    if (!CLASSES.includes(kept as RetentionClass) || !(days >= 0)) {
      throw optionError(`retentionDays.${received(kept)} is 0 or more days of a class`, days);
    }
  }
}

function optionError(expected: string, value: unknown): AuditorError {
  const message = `${expected}; received ${received(value)}`;
  return new AuditorError("AUDITOR_OPTION", { message });
}

function ignore(): undefined {
  // Deliberately empty: what is closed on the way out of a failure may fail, too.
}
