/**
 * @module The audit log behind the port of contract.md 7 (invariant I6): `record` takes an event's
 * place in an ordered, bounded queue before the effect that it tells of, and says when it is durable
 * and when a signed checkpoint covers it. A full, broken or closed log refuses, and then the effect
 * must not happen.
 */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";

import { type Clock, systemClock } from "@glovebox/core/clock";
import { type Decision, failClosed, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { JsonValue } from "@glovebox/core/json";
import type {
  AuditEvent,
  AuditPlace,
  DecisionLog,
  OperationScope,
  Receipt,
} from "@glovebox/core/ports";
import type { NoteSigner } from "@glovebox/tlog/note";

import { AuditorError } from "./errors.ts";
import { findKind } from "./event/event-kinds.ts";
import { writeEvent } from "./event/write-event.ts";
import { type LogFileSystem, nodeFileSystem } from "./log/file-system.ts";
import { openKeyFile } from "./log/key-file.ts";
import { readLogKeys } from "./log/log-keys.ts";
import type { AuditLog } from "./log/log.ts";
import { openAuditLog } from "./log/open-log.ts";
import type { LockDeps } from "./log/writer-lock.ts";

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
   * Names the log in receipts and checkpoints; at most 128 characters, no spaces and no plus. Default:
   * as the existing log says, or `glovebox/` and a random UUID for a new one.
   */
  readonly origin?: string;
  /** For the runtime, which waits accordingly; the log itself is equally fast. Default `return`. */
  readonly durability?: AuditDurability;
  /**
   * Events that may wait to be written, 8–1,048,576. Default 65,536. One eighth of it is kept for
   * the kinds marked `reserved` in `EVENT_KINDS`.
   */
  readonly maxQueuedEvents?: number;
  /** A file that keeps the last checkpoint. Default: `checkpoint` after the directory's name. */
  readonly anchorPath?: string;
}

/** What comes from outside; the defaults are the machine's own. */
export interface AuditorDeps {
  readonly clock?: Pick<Clock, "wallMs">;
  /** The log's key. Default: a file beside the directory, with `.key` after the directory's name. */
  readonly signers?: readonly NoteSigner[];
  readonly fileSystem?: LogFileSystem;
  readonly lock?: LockDeps;
}

/** An open log. */
export interface Auditor extends DecisionLog, AsyncDisposable {
  readonly origin: string;
  readonly durability: AuditDurability;
  /**
   * Takes the event's place, in a few microseconds and without touching the disk. The event is
   * copied.
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
  /** The last signed checkpoint: the anchor for `verifyAuditLog`, kept elsewhere. */
  checkpoint(): string;
  /** Refuses new events, seals what waits, says so in the log and lets go of the directory. */
  close(): Promise<void>;
}

const DURABILITIES: readonly string[] = ["effect", "return", "async"];

/**
 * Opens the log of a directory for writing, or begins one. An unfinished end is cut off, and an
 * `interrupted` event tells of it, or of a writer that ended without closing.
 *
 * @throws {@link AuditorError} as `openAuditLog`
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
  const { durability = "return", maxQueuedEvents } = options;
  if (!DURABILITIES.includes(durability)) {
    const message = `durability is ${DURABILITIES.join(", ")}; received ${received(durability)}`;
    throw new AuditorError("AUDITOR_OPTION", { message });
  }
  if (typeof options.directory !== "string" || options.directory === "") {
    throw new AuditorError("AUDITOR_OPTION", { message: "directory is a path" });
  }
  const { fileSystem = nodeFileSystem, clock = systemClock } = deps;
  const directory = resolve(options.directory);
  const known = (await readLogKeys(fileSystem, directory).catch(() => undefined))?.first;
  const origin = options.origin ?? known?.name ?? `glovebox/${randomUUID()}`;
  if (known !== undefined && known.name !== origin) {
    const message = `the log's origin is ${received(known.name)}; the option says ${received(origin)}`;
    throw new AuditorError("AUDITOR_ORIGIN", { message });
  }
  const opened = await openAuditLog(
    {
      directory,
      origin,
      anchorPath: options.anchorPath ?? `${directory}.checkpoint`,
      ...(maxQueuedEvents === undefined ? {} : { maxQueuedEntries: maxQueuedEvents }),
    },
    {
      signers: deps.signers ?? (() => openKeyFile(`${directory}.key`, origin)),
      ...(deps.fileSystem === undefined ? {} : { fileSystem: deps.fileSystem }),
      ...(deps.lock === undefined ? {} : { lock: deps.lock }),
    },
  );
  const auditor = auditorOver(opened.log, clock, durability);
  await auditor.begin(opened);
  return auditor.opened;
}

function auditorOver(log: AuditLog, clock: Pick<Clock, "wallMs">, durability: AuditDurability) {
  function append(scope: OperationScope, event: AuditEvent, isOwn: boolean): Decision<AuditPlace> {
    return failClosed("audit.event", () => {
      const { userId } = event;
      const own = { time: timeOf(clock), ...(userId === undefined ? {} : { userId }) };
      const json = writeEvent(scope, event, own, isOwn);
      if (typeof json !== "string") return json;
      const priority = findKind(event.kind)?.reserved === true ? "reserved" : "ordinary";
      const taken = log.tryAppend(json, priority);
      if (taken.allowed || taken.code !== "AUDITOR_ENTRY_SIZE") return taken;
      return refuse("AUDITOR_EVENT_SIZE", "audit.event", `event ${event.kind}: ${taken.reason}`);
    });
  }

  /** The first events of a writer: that it is there, and what it found. */
  async function begin({ cut, isNew }: Awaited<ReturnType<typeof openAuditLog>>): Promise<void> {
    const wasClosed = isNew || (await lastKind(log)) === "closed";
    append({}, { kind: "opened", success: true, details: { origin: log.origin } }, true);
    if (cut !== undefined || !wasClosed) {
      const details: Record<string, JsonValue> =
        cut === undefined ? {} : { cutBytes: cut.bytes, cutSha256: cut.sha256 };
      append({}, { kind: "interrupted", success: false, details }, true);
    }
    await log.flush();
  }

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      // A full queue would refuse the last event.
      await log.flush().catch(() => undefined);
      append({}, { kind: "closed", success: true }, true);
      await log.close();
    })());
  const opened: Auditor = {
    origin: log.origin,
    durability,
    record: (scope, event) =>
      closing === undefined
        ? append(scope, event, false)
        : refuse("AUDITOR_CLOSED", "audit.log", "the log is closed"),
    whenDurable: (place) => log.whenDurable(place),
    flush: () => log.flush(),
    checkpoint: () => log.checkpoint(),
    close,
    [Symbol.asyncDispose]: close,
  };
  return { opened, begin };
}

async function lastKind(log: AuditLog): Promise<unknown> {
  const { durableSize } = log.state();
  for await (const { bytes } of log.read(durableSize - 1)) {
    const event: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof event === "object" && event !== null ? Reflect.get(event, "kind") : undefined;
  }
  return undefined;
}

/** A clock that is passed in may answer anything; an event has whole milliseconds since 1970. */
function timeOf(clock: Pick<Clock, "wallMs">): number {
  const wallMs = Math.floor(clock.wallMs());
  return Number.isSafeInteger(wallMs) && wallMs > 0 ? wallMs : 0;
}
