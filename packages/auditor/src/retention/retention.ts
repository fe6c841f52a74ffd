/**
 * @module Keeping each class for as long as its window says, and no longer (GDPR article 5(1)(e)):
 * clean-ups by schedule and by hand, and the legal holds that stop them. What is removed is said in
 * the log before.
 */
import type { Clock, Timer } from "@glovebox/core/clock";
import { allow, type Decision, refuse } from "@glovebox/core/decision";

import { RETENTION_CLASSES, type RetentionClass } from "../event/event-kinds.ts";
import type { ClassLogs, EventRecorder } from "../record/record.ts";
import type { HoldTarget, LegalHold, LegalHolds } from "./legal-holds.ts";
import { findPruneIndex } from "./prune.ts";

/** Days that each class is kept; `Infinity` for ever. */
export type RetentionDays = Partial<Readonly<Record<RetentionClass, number>>>;

/** What a clean-up did with a class. */
export interface CleanUp {
  readonly class: RetentionClass;
  /** Events that were removed. */
  readonly removed: number;
  /** The published minimum index: what lies below it is gone. */
  readonly minimumIndex: number;
  /** The hold that kept the class as it is. */
  readonly hold?: LegalHold;
}

/** Retention of the logs of one host. */
export interface Retention extends AsyncDisposable {
  cleanUp(): Promise<readonly CleanUp[]>;
  placeHold(target: HoldTarget, reason: string, actor?: string): Promise<Decision<LegalHold>>;
  liftHold(id: string, reason: string, actor?: string): Promise<Decision<LegalHold>>;
  holds(): readonly LegalHold[];
}

/** What retention needs. */
export interface RetentionParts {
  readonly logs: ClassLogs;
  readonly days: RetentionDays;
  readonly holds: LegalHolds;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  /** Milliseconds between clean-ups; `Infinity`: only by hand. */
  readonly everyMs: number;
}

const DAY_MS = 86_400_000;

/** Starts the schedule. */
export function createRetention(parts: RetentionParts): Retention {
  const { logs, days, holds, recorder, clock, everyMs } = parts;
  let timer: Timer | undefined;
  let running: Promise<readonly CleanUp[]> | undefined;
  let isClosed = false;

  async function cleanOne(kept: RetentionClass): Promise<CleanUp | undefined> {
    const log = logs.get(kept);
    if (log === undefined) return undefined;
    const { minimumIndex } = log.state();
    const hold = holds.on({ class: kept });
    if (hold !== undefined) return { class: kept, removed: 0, minimumIndex, hold };
    const window = days[kept] ?? RETENTION_CLASSES[kept].days;
    const beforeMs = clock.wallMs() - window * DAY_MS;
    const wanted = await findPruneIndex(log, beforeMs);
    if (wanted === minimumIndex) return { class: kept, removed: 0, minimumIndex };
    const details = {
      class: kept,
      origin: log.origin,
      from: minimumIndex,
      to: wanted,
      days: window,
    };
    const said = recorder.recordOwn({ kind: "prune", success: true, actor: "host", details });
    // Nothing is removed that was not said: the next clean-up tries again.
    if (!said.allowed) return { class: kept, removed: 0, minimumIndex };
    await said.value.durable;
    const now = await log.prune(wanted);
    return { class: kept, removed: now - minimumIndex, minimumIndex: now };
  }

  async function cleanAll(): Promise<readonly CleanUp[]> {
    const done: CleanUp[] = [];
    for (const kept of logs.keys()) {
      const cleaned = await cleanOne(kept);
      if (cleaned !== undefined) done.push(cleaned);
    }
    return done;
  }

  const cleanUp = (): Promise<readonly CleanUp[]> =>
    (running ??= cleanAll().finally(() => (running = undefined)));

  function plan(): void {
    if (isClosed || everyMs === Infinity) return;
    timer = clock.setTimer(everyMs, () => {
      void cleanUp()
        .catch((error: unknown) => {
          const event = { kind: "prune", success: false, actor: "host", error: String(error) };
          recorder.recordOwn(event);
        })
        .finally(plan);
    });
  }
  plan();

  async function say(
    rule: string,
    hold: LegalHold,
    reason: string,
    actor: string,
  ): Promise<Decision<LegalHold>> {
    const { id, target } = hold;
    const details = { id, reason, ...("class" in target ? { class: target.class } : {}) };
    const subject = "subject" in target ? { subject: target.subject } : {};
    const said = recorder.recordOwn({ kind: "hold", success: true, rule, actor, details }, subject);
    if (!said.allowed) return said;
    await said.value.durable;
    return allow(rule, hold);
  }

  return {
    cleanUp,
    holds: () => holds.list(),
    async placeHold(target, reason, actor = "host") {
      // In force before it is said: a hold that is not in the log holds too much, not too little.
      const hold = await holds.place(target, reason, clock.wallMs());
      return say("hold.place", hold, reason, actor);
    },
    async liftHold(id, reason, actor = "host") {
      const hold = holds.list().find((one) => one.id === id);
      if (hold === undefined) return refuse("AUDITOR_HOLD", "audit.hold", "there is no such hold");
      const said = await say("hold.lift", hold, reason, actor);
      return said.allowed ? allow("hold.lift", await holds.lift(id)) : said;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      timer?.cancel();
      await running?.catch(() => undefined);
    },
  };
}
