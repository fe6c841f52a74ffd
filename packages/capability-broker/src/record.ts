/**
 * @module Decisions into the audit log before their effect (invariant I6). A log that refuses, throws
 * or, where it was asked for, cannot make the event durable turns the decision into a refusal.
 */
import { type Decision, failClosed, refuse } from "@glovebox/core/decision";
import { received, sanitizeForMessage } from "@glovebox/core/errors";
import type { JsonValue } from "@glovebox/core/json";
import type { AuditEvent, AuditPlace, DecisionLog, OperationScope } from "@glovebox/core/ports";

/** What is known of a decision besides its code and rule; no secrets. */
export type EventDetails = Readonly<Record<string, JsonValue>>;

/** Writes what this package decides. */
export interface Recorder {
  /** Takes a place in the log; the decision stands only if the log took it. `actor`: who decided, where it was a person. */
  decide<T>(
    scope: OperationScope,
    kind: string,
    decision: Decision<T>,
    details: EventDetails,
    actor?: string,
  ): Decision<T>;
  /** The same, and with durability `effect` waits until the event is on disk. */
  decideBefore<T>(
    scope: OperationScope,
    kind: string,
    decision: Decision<T>,
    details: EventDetails,
  ): Promise<Decision<T>>;
  /** Tells what has ended; a log that refuses cannot undo it. */
  ended(scope: OperationScope, kind: string, code: string | undefined, details: EventDetails): void;
}

const RULE = "audit.before-effect";

/** A recorder over the injected log. */
export function createRecorder(
  log: DecisionLog,
  durability: "effect" | "return" | "async",
): Recorder {
  function place<T>(
    scope: OperationScope,
    kind: string,
    decision: Decision<T>,
    details: EventDetails,
    actor?: string,
  ): Decision<AuditPlace> {
    const taken = failClosed(RULE, () =>
      log.record(scope, eventOf(kind, decision, details, actor)),
    );
    if (taken.allowed) {
      // Whoever promised durability to a caller waits for it there; nobody may wait here, and an
      // unheard rejection would end the process.
      taken.value.durable.catch(ignore);
      taken.value.sealed.catch(ignore);
      return taken;
    }
    return refuse(
      "BROKER_NOT_RECORDED",
      RULE,
      `${taken.code}: ${taken.reason}`,
      taken.retryAfterMs,
    );
  }
  return {
    decide(scope, kind, decision, details, actor) {
      const taken = place(scope, kind, decision, details, actor);
      return taken.allowed ? decision : taken;
    },
    async decideBefore(scope, kind, decision, details) {
      const taken = place(scope, kind, decision, details);
      if (!taken.allowed) return taken;
      if (durability !== "effect" || !decision.allowed) return decision;
      try {
        await taken.value.durable;
        return decision;
      } catch (error) {
        return refuse("BROKER_NOT_RECORDED", RULE, `the event is not durable: ${String(error)}`);
      }
    },
    ended(scope, kind, code, details) {
      failClosed(RULE, () =>
        place(
          scope,
          kind,
          code === undefined
            ? { allowed: true, rule: RULE, value: undefined }
            : refuse(code, RULE, code),
          details,
        ),
      );
    },
  };
}

function eventOf(
  kind: string,
  decision: Decision<unknown>,
  details: EventDetails,
  actor: string | undefined,
): AuditEvent {
  const event = { kind, success: decision.allowed, rule: decision.rule, details };
  const by = actor === undefined ? event : { ...event, actor };
  if (decision.allowed) return by;
  return { ...by, code: decision.code, error: recordedText(decision.reason) };
}

/**
 * Attacker-controlled text for an event: one line, bounded, and well-formed, for a log refuses half
 * a surrogate pair, and an event that is not taken would hide the attempt.
 */
export function recordedText(raw: unknown): string {
  return typeof raw === "string" ? sanitizeForMessage(raw).toWellFormed() : received(raw);
}

function ignore(): void {
  // Deliberately empty: see where it is attached.
}
