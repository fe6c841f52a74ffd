/**
 * @module The audit log behind the port of contract.md 7 (invariant I6): `record` takes an event's
 * place in an ordered, bounded queue before the effect that it tells of, and says when it is durable.
 * A full, broken or closed log refuses, and then the effect must not happen.
 */
import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";

import { type Clock, systemClock } from "@glovebox/core/clock";
import { allow, type Decision, failClosed, refuse, type Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { JsonValue } from "@glovebox/core/json";
import type {
  AuditEvent,
  AuditPlace,
  DecisionLog,
  OperationScope,
  Receipt,
} from "@glovebox/core/ports";

import { AuditorError } from "./errors.ts";
import { encodeEvent } from "./event/encode-event.ts";
import { findKind } from "./event/event-kinds.ts";
import {
  DEFAULT_MAX_QUEUED_EVENTS,
  MAX_EVENT_BYTES,
  MAX_ORIGIN_CHARACTERS,
  MAX_QUEUED_BYTES,
  MAX_QUEUED_EVENTS,
  MIN_QUEUED_EVENTS,
  QUEUE_RETRY_AFTER_MS,
  RESERVED_SHARE,
} from "./limits.ts";
import { createGroupCommit, type GroupCommit } from "./log/group-commit.ts";
import { type ProcessTable, systemProcesses } from "./log/lock-owner.ts";
import {
  LOG_FILE,
  type LogFile,
  type LogFileSystem,
  nodeLogFileSystem,
  prepareDirectory,
} from "./log/log-file.ts";
import type { LogHead } from "./log/log-head.ts";
import { recoverLog, type RecoveredLog } from "./log/recover.ts";
import { acquireLock, type WriterLock } from "./log/writer-lock.ts";

/**
 * When an event must be durable: before its `effect`, before the call's `return`, or at some time
 * (`async`, a named loosening).
 */
export type AuditDurability = "effect" | "return" | "async";

/** Where the log is and how it behaves. */
export interface AuditorOptions {
  /** A directory that belongs to this log alone; made with mode 0700 if it does not exist. */
  readonly directory: string;
  /**
   * Names the log in receipts; 1–128 printable ASCII characters. Default: as the existing log says,
   * or `glovebox/` and a random UUID for a new one.
   */
  readonly origin?: string;
  /** For the runtime, which waits accordingly; the log itself is equally fast. Default `return`. */
  readonly durability?: AuditDurability;
  /**
   * Events that may wait to be written, 8–1,048,576. Default 65,536. One eighth of it is kept for
   * the kinds marked `reserved` in `EVENT_KINDS`.
   */
  readonly maxQueuedEvents?: number;
}

/** What comes from outside; the defaults are the machine's own. */
export interface AuditorDeps {
  readonly clock?: Pick<Clock, "wallMs">;
  readonly fileSystem?: LogFileSystem;
  readonly processes?: ProcessTable;
}

/** An open log. */
export interface Auditor extends DecisionLog, AsyncDisposable {
  readonly origin: string;
  readonly durability: AuditDurability;
  /**
   * Takes the event's place, in a few microseconds and without touching the disk. The event is
   * copied. `durable` and `sealed` settle together: in this version the head of the chain is the
   * seal.
   */
  record(scope: OperationScope, event: AuditEvent): Decision<AuditPlace>;
  /**
   * Resolves when the event at a place is durable.
   *
   * @throws {@link AuditorError} (`AUDITOR_POISONED`, `AUDITOR_PLACE`)
   */
  whenDurable(place: number): Promise<Receipt>;
  /** Resolves when all that was recorded so far is durable. @throws as `whenDurable` */
  flush(): Promise<void>;
  /** Index and hash of the last durable line: the anchor for `verifyAuditLog`, kept elsewhere. */
  head(): LogHead;
  /** Refuses new events, writes what waits, says so in the log and lets go of the directory. */
  close(): Promise<void>;
}

const FORMAT_VERSION = 1;
const ORIGIN = /^[\x21-\x7e]+$/;
const DURABILITIES: readonly string[] = ["effect", "return", "async"];

/**
 * Opens the log of a directory for writing, or begins one. An unfinished last line is cut off, and
 * an `interrupted` event tells of it, or of a writer that ended without closing.
 *
 * @throws {@link AuditorError} (`AUDITOR_OPTION`, `AUDITOR_DIRECTORY`, `AUDITOR_LOCKED`,
 *   `AUDITOR_LOG_INVALID`, `AUDITOR_ORIGIN`, `AUDITOR_POISONED`)
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
  const { fileSystem = nodeLogFileSystem, processes = systemProcesses } = deps;
  const directory = resolve(options.directory);
  await prepareDirectory(directory, fileSystem);
  const lock = await acquireLock(directory, processes);
  let file: LogFile | undefined;
  try {
    file = await fileSystem.openLog(join(directory, LOG_FILE));
    const recovered = await recoverLog(file);
    const origin = originOf(options, recovered);
    if (recovered.head === undefined) await fileSystem.syncDirectory(directory);
    const commit = createGroupCommit({ file, origin, head: recovered.head });
    const clock = deps.clock ?? systemClock;
    begin(commit, clock, origin, recovered);
    await commit.flush();
    return auditorOver({ options, clock, origin, commit, file, lock });
  } catch (error) {
    await file?.close().catch(() => undefined);
    await lock.release();
    throw error;
  }
}

/** What an open log consists of. */
interface Parts {
  readonly options: AuditorOptions;
  readonly clock: Pick<Clock, "wallMs">;
  readonly origin: string;
  readonly commit: GroupCommit;
  readonly file: LogFile;
  readonly lock: WriterLock;
}

function auditorOver(parts: Parts): Auditor {
  const { options, clock, origin, commit, file, lock } = parts;
  const maxEvents = options.maxQueuedEvents ?? DEFAULT_MAX_QUEUED_EVENTS;
  let closing: Promise<void> | undefined;

  function record(scope: OperationScope, event: AuditEvent): Decision<AuditPlace> {
    if (commit.error !== undefined) return unusable("AUDITOR_POISONED", commit.error.message);
    if (closing !== undefined) return unusable("AUDITOR_CLOSED", "the log is closed");
    return failClosed("audit.event", () => {
      const json = encodeEvent(scope, event);
      if (typeof json !== "string") return json;
      const bytes = Buffer.byteLength(json);
      if (bytes > MAX_EVENT_BYTES) return tooLarge(event.kind, bytes);
      const share = findKind(event.kind)?.reserved === true ? 1 : 1 - 1 / RESERVED_SHARE;
      if (
        commit.queuedEvents + 1 > maxEvents * share ||
        commit.queuedBytes + bytes > MAX_QUEUED_BYTES * share
      ) {
        return full(commit, event.kind);
      }
      return allow("audit.recorded", commit.append(json, bytes, timeOf(clock)));
    });
  }

  async function closeOnce(): Promise<void> {
    try {
      if (commit.error === undefined) {
        recordOwn(commit, clock, { kind: "closed", success: true });
        await commit.flush();
      }
    } finally {
      await file.close().catch(() => undefined);
      await lock.release();
    }
  }

  const close = (): Promise<void> => (closing ??= closeOnce());
  return {
    origin,
    durability: options.durability ?? "return",
    record,
    whenDurable: (place) => commit.whenDurable(place),
    flush: () => commit.flush(),
    head: () => commit.head ?? neverOpened(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The first events of a writer: that it is there, and what it found. */
function begin(
  commit: GroupCommit,
  clock: Pick<Clock, "wallMs">,
  origin: string,
  { head, wasClosed, cut }: RecoveredLog,
): void {
  const opened = { format: FORMAT_VERSION, origin };
  recordOwn(commit, clock, { kind: "opened", success: true, details: opened });
  if (cut === undefined && (head === undefined || wasClosed)) return;
  const details: Record<string, JsonValue> =
    cut === undefined ? {} : { cutBytes: cut.bytes, cutSha256: cut.sha256 };
  recordOwn(commit, clock, { kind: "interrupted", success: false, details });
}

/** Events of the log about itself: they pass the bound of the queue, for they are few. */
function recordOwn(commit: GroupCommit, clock: Pick<Clock, "wallMs">, event: AuditEvent): void {
  const json = encodeEvent({}, event, true);
  if (typeof json !== "string") throw new AuditorError("AUDITOR_OPTION", { message: json.reason });
  commit.append(json, Buffer.byteLength(json), timeOf(clock));
}

/** A clock that is passed in may answer anything; a line holds whole milliseconds since 1970. */
function timeOf(clock: Pick<Clock, "wallMs">): number {
  const wallMs = Math.floor(clock.wallMs());
  return Number.isSafeInteger(wallMs) && wallMs > 0 ? wallMs : 0;
}

function originOf({ origin }: AuditorOptions, recovered: RecoveredLog): string {
  const existing = recovered.origin;
  if (origin !== undefined && existing !== undefined && origin !== existing) {
    const message = `the log's origin is ${received(existing)}; the option says ${received(origin)}`;
    throw new AuditorError("AUDITOR_ORIGIN", { message });
  }
  return existing ?? origin ?? `glovebox/${randomUUID()}`;
}

function checkOptions({ directory, origin, durability, maxQueuedEvents }: AuditorOptions): void {
  if (typeof directory !== "string" || directory === "") {
    throw optionError("directory is a path", directory);
  }
  if (origin !== undefined && (!ORIGIN.test(origin) || origin.length > MAX_ORIGIN_CHARACTERS)) {
    throw optionError(`origin is 1–${MAX_ORIGIN_CHARACTERS} printable ASCII characters`, origin);
  }
  if (durability !== undefined && !DURABILITIES.includes(durability)) {
    throw optionError(`durability is ${DURABILITIES.join(", ")}`, durability);
  }
  if (maxQueuedEvents === undefined) return;
  const isInRange = maxQueuedEvents >= MIN_QUEUED_EVENTS && maxQueuedEvents <= MAX_QUEUED_EVENTS;
  if (!Number.isSafeInteger(maxQueuedEvents) || !isInRange) {
    const range = `${MIN_QUEUED_EVENTS}–${MAX_QUEUED_EVENTS}`;
    throw optionError(`maxQueuedEvents is a whole number in ${range}`, maxQueuedEvents);
  }
}

function optionError(expected: string, value: unknown): AuditorError {
  return new AuditorError("AUDITOR_OPTION", {
    message: `${expected}; received ${received(value)}`,
  });
}

function unusable(code: "AUDITOR_POISONED" | "AUDITOR_CLOSED", reason: string): Refusal {
  return refuse(code, "audit.log", reason);
}

function tooLarge(kind: string, bytes: number): Refusal {
  const reason = `event ${received(kind)} has ${bytes} bytes; at most ${MAX_EVENT_BYTES}`;
  return refuse("AUDITOR_EVENT_SIZE", "audit.event", reason);
}

function full({ queuedEvents, queuedBytes }: GroupCommit, kind: string): Refusal {
  const reason = `no room for an event ${received(kind)}: ${queuedEvents} events of ${queuedBytes} bytes wait`;
  return refuse("AUDITOR_QUEUE_FULL", "audit.queue", reason, QUEUE_RETRY_AFTER_MS);
}

/** An open log has at least the line that says so. */
function neverOpened(): never {
  throw new AuditorError("AUDITOR_CLOSED");
}
