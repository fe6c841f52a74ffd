/**
 * @module Keeping each class for as long as its window says, and no longer (GDPR article 5(1)(e)):
 * clean-ups by schedule and by hand, and the legal holds that stop them. What is removed is said in
 * the log before.
 */
import type { Clock, Timer } from "@glovebox/core/clock";
import { allow, type Decision, refuse } from "@glovebox/core/decision";

import { RETENTION_CLASSES, type RetentionClass } from "../event/event-kinds.ts";
import { FIRST_CLEAN_UP_MS } from "../limits.ts";
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

/** Whom a hold is for, by the id that was recorded; it is kept by the pseudonym. */
export interface HeldPerson {
  readonly person: string;
}

/** Who asks for a clean-up, and why. */
export interface CleanUpRequest {
  /** Default `host`. */
  readonly actor?: string;
  readonly reason?: string;
}

/** Retention of the logs of one host. */
export interface Retention extends AsyncDisposable {
  /**
   * Removes what is older than its class is kept. One that runs already is waited for, and is not
   * the asker's.
   */
  cleanUp(request?: CleanUpRequest): Promise<readonly CleanUp[]>;
  /** Refuses for a person of whom nothing is kept. @throws {@link AuditorError} (`AUDITOR_HOLD`) */
  placeHold(
    target: HoldTarget | HeldPerson,
    reason: string,
    actor?: string,
  ): Promise<Decision<LegalHold>>;
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
  /** The pseudonym of a person of whom something is kept. */
  readonly subjectOf: (person: string) => string | undefined;
  /** Milliseconds between clean-ups; `Infinity`: only by hand. */
  readonly everyMs: number;
}

const DAY_MS = 86_400_000;

/** Starts the schedule. */
export function createRetention(parts: RetentionParts): Retention {
  const { logs, days, holds, recorder, clock, subjectOf, everyMs } = parts;
  let timer: Timer | undefined;
  let running: Promise<readonly CleanUp[]> | undefined;
  let isClosed = false;

  async function cleanOne(
    kept: RetentionClass,
    { actor = "host", reason }: CleanUpRequest,
  ): Promise<CleanUp | undefined> {
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
      ...(reason === undefined ? {} : { reason }),
    };
    const said = recorder.recordOwn({ kind: "prune", success: true, actor, details });
    // Nothing is removed that was not said: the next clean-up tries again.
    if (!said.allowed) return { class: kept, removed: 0, minimumIndex };
    await said.value.durable;
    const now = await log.prune(wanted);
    return { class: kept, removed: now - minimumIndex, minimumIndex: now };
  }

  async function cleanAll(request: CleanUpRequest): Promise<readonly CleanUp[]> {
    const done: CleanUp[] = [];
    for (const kept of logs.keys()) {
      const cleaned = await cleanOne(kept, request);
      if (cleaned !== undefined) done.push(cleaned);
    }
    return done;
  }

  const cleanUp = (request: CleanUpRequest = {}): Promise<readonly CleanUp[]> =>
    (running ??= cleanAll(request).finally(() => (running = undefined)));

  function plan(afterMs: number): void {
    if (isClosed || everyMs === Infinity) return;
    timer = clock.setTimer(afterMs, () => {
      void cleanUp()
        .catch((error: unknown) => {
          const event = { kind: "prune", success: false, actor: "host", error: String(error) };
          recorder.recordOwn(event);
        })
        .finally(() => plan(everyMs));
    });
  }
  // A host that is started anew every day would otherwise never come to it.
  plan(Math.min(everyMs, FIRST_CLEAN_UP_MS));

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
    async placeHold(wanted, reason, actor = "host") {
      const target = "person" in wanted ? { subject: subjectOf(wanted.person) ?? "" } : wanted;
      if ("subject" in target && target.subject === "") {
        const problem = "nothing is kept of this person";
        return refuse("AUDITOR_PERSON_UNKNOWN", "audit.hold", problem);
      }
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
