/**
 * @module Where every event goes: first into the audit log, whose answer decides, then to who is
 * only told: subscribers of the diagnostics channel and the operator's logger. The only file that
 * knows `node:diagnostics_channel`.
 */
import { channel } from "node:diagnostics_channel";

import type { Clock } from "@glovebox/core/clock";
import { allow, type Decision, failClosed, refuse } from "@glovebox/core/decision";
import { createGcra } from "@glovebox/core/flow";
import type {
  AuditEvent,
  AuditPlace,
  DecisionLog,
  EventSink,
  OperationScope,
} from "@glovebox/core/ports";

import type { Logger } from "../deps.ts";
import type { AuditDurability } from "../options.ts";
import { CALL_RULE, inLogWords } from "./kinds.ts";

/** Events as the rest of the runtime sees them; it is the log that modules get, too. */
export interface Events extends DecisionLog {
  /** Takes a place; with durability `effect`, resolves when the event is on disk. */
  recordBefore(scope: OperationScope, event: AuditEvent): Promise<Decision<AuditPlace>>;
  /** Records what has happened already: a log that refuses cannot undo it. */
  tell(scope: OperationScope, event: AuditEvent): AuditPlace | undefined;
  /** What has to have resolved before an answer about this event leaves; `undefined` = nothing. */
  settled(place: AuditPlace): Promise<Decision<void>> | undefined;
  /** The same for everything that was recorded until now: the log is in order. */
  lastSettled(): Promise<Decision<void>> | undefined;
}

const RULE = "audit.before-effect";
/** Denials that reach the operator's log, per second: a plugin can cause as many as it likes. */
const LOGGED_DENIALS_PER_SECOND = 5;
const LOGGED_DENIALS_BURST = 20;
const eventChannel = channel("glovebox:event");

/** Where events go. */
export interface EventParts {
  readonly log: DecisionLog;
  readonly durability: AuditDurability;
  /** Is told of everything but calls that ran, which the monitor observes in another way. */
  readonly sink: EventSink;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Joins a log, a durability mode, a sink and a logger. */
export function createEvents({ log, durability, sink, logger, clock }: EventParts): Events {
  const denials = createGcra(
    { ratePerSecond: LOGGED_DENIALS_PER_SECOND, burst: LOGGED_DENIALS_BURST },
    { clock },
  );
  let unlogged = 0;
  let last: AuditPlace | undefined;

  const announce = (scope: OperationScope, event: AuditEvent): void => {
    if (eventChannel.hasSubscribers) eventChannel.publish({ scope: idsOf(scope), event });
    if (event.rule === CALL_RULE.start || event.rule === CALL_RULE.end) return;
    sink.onEvent(scope, event);
    if (event.success) return;
    if (!denials.tryTake().ok) {
      unlogged += 1;
      return;
    }
    const { kind, code, rule, error } = event;
    logger.warn({ ...idsOf(scope), kind, code, rule, error, unlogged }, "refused or failed");
    unlogged = 0;
  };

  const record = (scope: OperationScope, raw: AuditEvent): Decision<AuditPlace> => {
    const event = inLogWords(raw);
    const taken = failClosed(RULE, () => log.record(scope, event));
    announce(scope, event);
    if (!taken.allowed) return notRecorded(`${taken.code}: ${taken.reason}`, taken.retryAfterMs);
    // Not touched unless somebody waits: the log makes its promises on demand (bench `calls`).
    last = taken.value;
    return taken;
  };

  const settled = (place: AuditPlace): Promise<Decision<void>> | undefined =>
    durability === "async" ? undefined : durableOf(place);

  return {
    record,
    async recordBefore(scope, event) {
      const taken = record(scope, event);
      if (!taken.allowed || durability !== "effect") return taken;
      const durable = await durableOf(taken.value);
      return durable.allowed ? taken : durable;
    },
    tell(scope, event) {
      const taken = record(scope, event);
      if (taken.allowed) return taken.value;
      const { kind } = event;
      logger.error({ ...idsOf(scope), kind, reason: taken.reason }, "an event was not recorded");
      return undefined;
    },
    settled,
    lastSettled: () => last && settled(last),
  };
}

async function durableOf(place: AuditPlace): Promise<Decision<void>> {
  try {
    await place.durable;
    return allow(RULE, undefined);
  } catch (error) {
    return notRecorded(`the event is not durable: ${String(error)}`);
  }
}

function notRecorded(reason: string, retryAfterMs?: number): Decision<never> {
  return refuse("RUNTIME_NOT_RECORDED", RULE, reason, retryAfterMs);
}

/** Only the ids: a call's scope also holds a signal and a meter, which are not data. */
function idsOf({ pluginId, callId, tenantId }: OperationScope): OperationScope {
  return {
    ...(pluginId !== undefined && { pluginId }),
    ...(callId !== undefined && { callId }),
    ...(tenantId !== undefined && { tenantId }),
  };
}

/** The log of a host without one (a named loosening): takes everything, keeps nothing. */
export function createNullLog(): DecisionLog {
  const receipt = Promise.resolve({ origin: "", index: 0, size: 0 });
  const place = allow("audit.off", { place: 0, durable: receipt, sealed: receipt });
  return { record: () => place };
}
