/**
 * @module What `audit.record` does with an event, in order: room on the disk and the plugin's budget,
 * personal fields under the person's key, canonical JSON, its place in the log of its class. Hot
 * path: nothing here waits or touches the disk, and promises are made when someone asks for them
 * (bench `audit-events`).
 */
import type { Clock } from "@glovebox/core/clock";
import { allow, type Decision, failClosed, refuse, type Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { AuditEvent, AuditPlace, OperationScope, Receipt } from "@glovebox/core/ports";

import { AuditorError } from "../errors.ts";
import { findKind, type RetentionClass } from "../event/event-kinds.ts";
import { type AuditorMembers, Malformed, writeEvent } from "../event/write-event.ts";
import { MAX_PERSON_CHARACTERS } from "../limits.ts";
import type { AuditLog, LogPlace } from "../log/log.ts";
import { sealFields, type SealedFields } from "../subject/personal-fields.ts";
import type { SubjectKey, SubjectKeyStore } from "../subject/subject-keys.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import type { FloodGuard } from "./flood.ts";

/** The open logs by class. A host that keeps only some classes has only these. */
export type ClassLogs = ReadonlyMap<RetentionClass, AuditLog>;

/** What recording needs. */
export interface RecordParts {
  readonly logs: ClassLogs;
  readonly clock: Pick<Clock, "wallMs">;
  /** `undefined`: persons are recorded in the clear, a named loosening. */
  readonly keys: SubjectKeyStore | undefined;
  readonly flood: FloodGuard;
  readonly disk: DiskReserve;
}

/** Takes events from others, and from the auditor itself. */
export interface EventRecorder {
  record(scope: OperationScope, event: AuditEvent): Decision<AuditPlace>;
  /**
   * For kinds that only the auditor may write; they pass budget and reserve. They go to the log of
   * their class, or to another that they tell of.
   */
  recordOwn(
    event: AuditEvent,
    members?: Partial<AuditorMembers>,
    into?: RetentionClass,
  ): Decision<AuditPlace>;
  /** A counted event, for the guard against floods. */
  recordCounted(scope: OperationScope, event: AuditEvent, count: number, firstTime: number): void;
}

/** Makes the recorder over open logs. */
export function createRecorder({ logs, clock, keys, flood, disk }: RecordParts): EventRecorder {
  const all = [...logs.values()];
  let seq = 0;
  /** Where the auditor writes about itself when the class of that is not kept. */
  const [fallback] = logs.keys();
  /** An event whose only personal field is the id repeats one ciphertext per person. */
  const idOnly = new WeakMap<SubjectKey, SealedFields>();

  function record(scope: OperationScope, event: AuditEvent): Decision<AuditPlace> {
    return failClosed("audit.event", () => {
      if (findKind(event.kind)?.reserved === true)
        return append(scope, event, { time: now(), seq });
      const verdict = disk.judge(0) ?? flood.judge(scope, event);
      if (verdict !== undefined) {
        return "place" in verdict ? allow("audit.counted", verdict) : verdict;
      }
      return append(scope, event, { time: now(), seq });
    });
  }

  function append(
    scope: OperationScope,
    event: AuditEvent,
    members: AuditorMembers,
    own?: { readonly into: RetentionClass | undefined },
  ): Decision<AuditPlace> {
    const { userId, personal } = event;
    let key: SubjectKey | undefined;
    let written = members;
    if (userId !== undefined || personal !== undefined) {
      const sealed = seal(event);
      if ("allowed" in sealed) return sealed;
      ({ key } = sealed);
      written = { ...members, ...sealed.members };
    }
    const json = writeEvent(scope, event, written, own !== undefined);
    if (typeof json !== "string") return json;
    // The kind is in the table, or it would not have been written.
    const entry = findKind(event.kind);
    const log = entry && logs.get(own?.into ?? entry.class);
    if (entry === undefined || log === undefined) return notKept(event.kind);
    const taken = log.tryAppend(json, entry.reserved === true ? "reserved" : "ordinary");
    if (!taken.allowed) return tooLarge(taken, event.kind);
    seq += 1;
    if (entry.reserved !== true) {
      disk.judge(json.length);
      if (!event.success) flood.opened(scope, event, taken.value);
    }
    return allow("audit.recorded", new RecordedPlace(taken.value, log, all, key));
  }

  /** Personal fields as they may be written. */
  function seal(
    event: AuditEvent,
  ): { key: SubjectKey | undefined; members: Partial<AuditorMembers> } | Decision<never> {
    const { userId, personal } = event;
    try {
      if (typeof userId !== "string" || userId === "" || userId.length > MAX_PERSON_CHARACTERS) {
        throw new Malformed(
          `userId is 1–${MAX_PERSON_CHARACTERS} characters, and personal needs it; received ${received(userId)}`,
        );
      }
      if (!userId.isWellFormed()) throw new Malformed("userId is well-formed Unicode");
      if (keys === undefined) {
        if (personal !== undefined) throw new Malformed("personal needs a store of keys");
        return { key: undefined, members: { userId } };
      }
      const key = keys.obtain(userId);
      const sealed =
        personal === undefined
          ? (idOnly.get(key) ?? remember(key, sealFields(key, userId)))
          : sealFields(key, userId, personal);
      return { key, members: { subject: key.subject, ...sealed } };
    } catch (error) {
      if (error instanceof Malformed) {
        const reason = `event ${received(event.kind)}: ${error.message}`;
        return refuse("AUDITOR_EVENT_INVALID", "audit.event", reason);
      }
      if (error instanceof AuditorError) return refuse(error.code, "audit.keys", error.message);
      throw error;
    }
  }

  function remember(key: SubjectKey, sealed: SealedFields): SealedFields {
    idOnly.set(key, sealed);
    return sealed;
  }

  /** A clock that is passed in may answer anything; an event has whole milliseconds since 1970. */
  function now(): number {
    const wallMs = Math.floor(clock.wallMs());
    return Number.isSafeInteger(wallMs) && wallMs > 0 ? wallMs : 0;
  }

  return {
    record,
    recordOwn(event, members = {}, into = logs.has("security") ? undefined : fallback) {
      const written = { ...members, time: now(), seq };
      return failClosed("audit.event", () => append({}, event, written, { into }));
    },
    recordCounted(scope, event, count, firstTime) {
      const time = now();
      // Refused only where the log is: then nothing else is recorded either.
      failClosed("audit.event", () => append(scope, event, { time, seq, count, firstTime }));
    },
  };
}

/**
 * An event's place. `durable` is of this event and of all that were recorded before it in any class,
 * so that the last event of a call vouches for the others (invariant I6).
 */
class RecordedPlace implements AuditPlace {
  readonly place: number;
  readonly #taken: LogPlace;
  readonly #log: AuditLog;
  readonly #all: readonly AuditLog[];
  readonly #key: SubjectKey | undefined;

  constructor(
    taken: LogPlace,
    log: AuditLog,
    all: readonly AuditLog[],
    key: SubjectKey | undefined,
  ) {
    this.place = taken.place;
    this.#taken = taken;
    this.#log = log;
    this.#all = all;
    this.#key = key;
  }

  get durable(): Promise<Receipt> {
    return this.#with(this.#taken.durable);
  }

  get sealed(): Promise<Receipt> {
    return this.#with(this.#taken.sealed);
  }

  #with(receipt: Promise<Receipt>): Promise<Receipt> {
    const before: Promise<void>[] = [];
    for (const log of this.#all) {
      if (log !== this.#log && log.state().queuedEntries > 0) before.push(log.flush());
    }
    const keyDurable = this.#key?.durable;
    if (keyDurable !== undefined) before.push(keyDurable);
    if (before.length === 0) return receipt;
    const whole = Promise.all(before).then(() => receipt);
    // Who asks for a promise and then waits for another one is not to blame for its failure.
    receipt.catch(() => undefined);
    whole.catch(() => undefined);
    return whole;
  }
}

/** In the words of events: the log calls it an entry. */
function tooLarge(refusal: Refusal, kind: string): Refusal {
  if (refusal.code !== "AUDITOR_ENTRY_SIZE") return refusal;
  return refuse("AUDITOR_EVENT_SIZE", "audit.event", `event ${received(kind)}: ${refusal.reason}`);
}

function notKept(kind: string): Decision<never> {
  const reason = `events of kind ${received(kind)} belong to a class that this log does not keep`;
  return refuse("AUDITOR_CLASS", "audit.class", reason);
}
