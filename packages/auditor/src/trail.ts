/**
 * @module The audit trail of a host over open logs, one per retention class: recording within
 * budgets, persons under their keys, retention, queries, tails and sinks, joined. `auditor.ts` opens
 * what it stands on.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Clock } from "@glovebox/core/clock";
import { type Decision, refuse } from "@glovebox/core/decision";
import type { AuditEvent, AuditPlace, OperationScope } from "@glovebox/core/ports";

import { createErasure, type Erasure } from "./erasure/erasure.ts";
import { DEFAULT_CLEAN_UP_MS, DEFAULT_DISK_RESERVE_BYTES } from "./limits.ts";
import { tailEvents, type TailItem, type TailOptions } from "./query/live-tail.ts";
import type { EventPage, EventQuery } from "./query/query.ts";
import { openSearch } from "./query/search.ts";
import { createDiskReserve, type Disk } from "./record/disk-reserve.ts";
import { createFloodGuard, type FloodOptions, type FloodReport } from "./record/flood.ts";
import { type ClassLogs, createRecorder, type EventRecorder } from "./record/record.ts";
import { HOLDS_FILE, openLegalHolds } from "./retention/legal-holds.ts";
import { createRetention, type Retention, type RetentionDays } from "./retention/retention.ts";
import { forwardAll } from "./sinks/forward-all.ts";
import type { Forwarding } from "./sinks/forward.ts";
import type { Sink } from "./sinks/sink.ts";
import type { SubjectKeyStore } from "./subject/subject-keys.ts";

/** How a trail behaves. */
export interface TrailOptions {
  /** Days that each class is kept. Default: those of `RETENTION_CLASSES`. */
  readonly retentionDays?: RetentionDays;
  /** Milliseconds between clean-ups; `Infinity`: only by hand. Default: a day. */
  readonly cleanUpEveryMs?: number;
  /** How many events one plugin may cause. */
  readonly flood?: FloodOptions;
  /** Bytes of the disk that are kept for operators and defences; 0 keeps none. Default 16 MiB. */
  readonly diskReserveBytes?: number;
}

/** What a trail stands on. */
export interface TrailParts {
  readonly directory: string;
  readonly logs: ClassLogs;
  /** `undefined`: persons are recorded in the clear, a named loosening. */
  readonly keys: SubjectKeyStore | undefined;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: () => number;
  /** Told when a plugin is over its budget, at most once a second each. */
  readonly onFlood: (report: FloodReport) => void;
}

/** Everything that can be done with the trail of a host. */
export interface Trail {
  /**
   * Takes the event's place, in a few microseconds and without touching the disk. The event is
   * copied. `durable` is of it and of all that were recorded before.
   */
  record(scope: OperationScope, event: AuditEvent): Decision<AuditPlace>;
  /** A page of events; personal fields stay encrypted. @throws {@link AuditorError} (`AUDITOR_QUERY`) */
  query(query?: EventQuery): Promise<EventPage>;
  /** Events as they become durable; personal fields stay encrypted. */
  tail(options?: TailOptions): AsyncGenerator<TailItem, void, undefined>;
  /** Sends every event to a sink from now on, or from where the sink of that name left off. */
  forward(sink: Sink): Promise<readonly Forwarding[]>;
  /** Persons: refusals when they are recorded in the clear. */
  readonly erasure: Erasure;
  readonly retention: Retention;
}

/** A trail, and what its owner does with it. */
export interface OwnedTrail extends Trail {
  readonly recorder: EventRecorder;
  /** Ends deliveries and schedules and writes what was counted; the logs stay open. */
  close(): Promise<void>;
}

/**
 * Joins a trail over open logs.
 *
 * @throws {@link AuditorError} for a directory, index or file of holds that cannot be used
 */
export async function createTrail(options: TrailOptions, parts: TrailParts): Promise<OwnedTrail> {
  const { directory, logs, keys, clock, disk, random, onFlood } = parts;
  /** Disposed of in reverse. */
  const owned: AsyncDisposable[] = [];
  for (const name of ["index", "positions"]) {
    await mkdir(join(directory, name), { recursive: true, mode: 0o700 });
  }
  const holds = await openLegalHolds(join(directory, HOLDS_FILE));
  const reserve = createDiskReserve({
    disk,
    reserveBytes: options.diskReserveBytes ?? DEFAULT_DISK_RESERVE_BYTES,
    clock,
    onChange(isLow, freeBytes) {
      const event = { kind: "alert", success: !isLow, rule: "audit.disk", details: { freeBytes } };
      recorder.recordOwn(event);
    },
  });
  const flood = createFloodGuard(options.flood ?? {}, {
    clock,
    write: (scope, event, count, first) => recorder.recordCounted(scope, event, count, first),
    onFlood,
  });
  const recorder = createRecorder({ logs, clock, keys, flood, disk: reserve });
  await reserve.check();

  const search = await openSearch(join(directory, "index"), logs);
  owned.push(search);
  const query = (wanted?: EventQuery): Promise<EventPage> => search.query(wanted);
  const everyMs = options.cleanUpEveryMs ?? DEFAULT_CLEAN_UP_MS;
  const days = options.retentionDays ?? {};
  const retention = createRetention({
    logs,
    days,
    holds,
    recorder,
    clock,
    subjectOf: (person) => keys?.find(person)?.subject,
    everyMs,
  });
  owned.push(retention);
  const erasure = keys === undefined ? NO_ERASURE : createErasure({ keys, holds, recorder, query });
  try {
    await erasure.resume();
  } catch (error) {
    await close();
    throw error;
  }

  async function close(): Promise<void> {
    const failures: unknown[] = [];
    for (const one of owned.toReversed()) {
      try {
        await one[Symbol.asyncDispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    flood.flush();
    if (failures.length > 0) throw failures[0];
  }

  async function forward(sink: Sink): Promise<readonly Forwarding[]> {
    const event = { kind: "delivery", success: true, actor: "host", details: { sink: sink.name } };
    const deliveries = await forwardAll(sink, {
      logs,
      directory: join(directory, "positions"),
      clock,
      random,
      onLoss(name, origin, count, reason) {
        const details = { sink: name, origin, lost: count };
        recorder.recordOwn({ kind: "delivery", success: false, error: reason, details });
      },
    });
    recorder.recordOwn(event);
    owned.push(sink, ...deliveries);
    return deliveries;
  }

  const growing = [...logs].map(([kept, log]) => ({ class: kept, log }));
  return {
    record: (scope, event) => recorder.record(scope, event),
    query,
    tail: (wanted = {}) => tailEvents(growing, wanted),
    forward,
    erasure,
    retention,
    recorder,
    close,
  };
}

/** Of a trail that records persons in the clear: nothing of a log can be erased then. */
const NO_ERASURE: Erasure = {
  erase: inTheClear,
  exportPerson: inTheClear,
  revealEvents: inTheClear,
  rotateWrappingKey: inTheClear,
  async resume() {
    // Nothing was condemned.
  },
};

async function inTheClear(): Promise<Decision<never>> {
  const reason = "persons are recorded in the clear; nothing of a log can be erased";
  return refuse("AUDITOR_PERSON_UNKNOWN", "audit.erasure", reason);
}
