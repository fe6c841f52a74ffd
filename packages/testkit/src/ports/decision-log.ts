/**
 * @module A decision log in memory. It can be told to refuse, to hold durability back and to fail
 * it, which are the three ways in which a log stops an effect (contract.md 7): a module's test shows
 * with it that the effect does not happen then.
 */
import { allow, refuse } from "@glovebox/core/decision";
import type { AuditEvent, DecisionLog, OperationScope, Receipt } from "@glovebox/core/ports";

/** One event as it was recorded: a copy, so that a later change by the caller does not show. */
export interface RecordedEvent {
  readonly scope: OperationScope;
  readonly event: AuditEvent;
}

/** A decision log that remembers and obeys. */
export interface RecordingDecisionLog extends DecisionLog {
  /** What was accepted, in order of place. */
  readonly events: readonly RecordedEvent[];
  /** What was refused. */
  readonly refused: readonly RecordedEvent[];
  /** The kinds of `events`, in order. */
  readonly kinds: readonly string[];
  /** From now on refuses every event. Default code: `TESTKIT_LOG_REFUSED`. */
  refuseWith(code?: string, reason?: string): void;
  /** Ends {@link RecordingDecisionLog.refuseWith}. */
  accept(): void;
  /** From now on `durable` and `sealed` stay pending. */
  holdDurability(): void;
  /** Makes all that is pending durable, and what comes next at once. */
  releaseDurability(): void;
  /** Rejects all that is pending, as a full disk does, and then holds nothing back. */
  failDurability(error: unknown): void;
}

const ORIGIN = "testkit.invalid/decision-log";

/**
 * Makes an empty log that accepts everything and is durable at once.
 *
 * @example
 * ```ts
 * const log = recordingDecisionLog();
 * log.refuseWith("AUDITOR_QUEUE_FULL");
 * ```
 */
export function recordingDecisionLog(): RecordingDecisionLog {
  const events: RecordedEvent[] = [];
  const refused: RecordedEvent[] = [];
  let refusal: { readonly code: string; readonly reason: string } | undefined;
  let gate: PromiseWithResolvers<void> | undefined;

  return {
    events,
    refused,
    get kinds(): readonly string[] {
      return events.map(({ event }) => event.kind);
    },
    record(scope, event) {
      const entry = { scope: idsOf(scope), event: structuredClone(event) };
      if (refusal !== undefined) {
        refused.push(entry);
        return refuse(refusal.code, "testkit.decision-log", refusal.reason);
      }
      const index = events.push(entry) - 1;
      const receipt: Receipt = { origin: ORIGIN, index, size: index + 1 };
      const durable = (gate?.promise ?? Promise.resolve()).then(() => receipt);
      // Who does not wait for durability is not to blame for its failure.
      durable.catch(() => undefined);
      return allow("testkit.decision-log", { place: index, durable, sealed: durable });
    },
    refuseWith(code = "TESTKIT_LOG_REFUSED", reason = "the test told the log to refuse") {
      refusal = { code, reason };
    },
    accept() {
      refusal = undefined;
    },
    holdDurability() {
      gate ??= Promise.withResolvers<void>();
    },
    releaseDurability() {
      gate?.resolve();
      gate = undefined;
    },
    failDurability(error) {
      gate?.reject(error);
      gate = undefined;
    },
  };
}

/** Only the ids: a call's scope also holds a signal and a meter, which are not data. */
function idsOf({ pluginId, callId, tenantId }: OperationScope): OperationScope {
  return {
    ...(pluginId !== undefined && { pluginId }),
    ...(callId !== undefined && { callId }),
    ...(tenantId !== undefined && { tenantId }),
  };
}
