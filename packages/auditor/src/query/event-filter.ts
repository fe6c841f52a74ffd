/** @module What somebody looks for in the logs, and whether an event is it. */
import type { EventKind, RetentionClass } from "../event/event-kinds.ts";
import type { LoggedEvent } from "../event/event-members.ts";

/** Conditions that all have to hold; none means every event. */
export interface EventFilter {
  /** At or after, milliseconds since 1970. */
  readonly sinceMs?: number;
  /** Before, milliseconds since 1970. */
  readonly untilMs?: number;
  readonly pluginId?: string;
  readonly kind?: EventKind;
  /** `host`, `operator:NAME`, or the pseudonym of a person. */
  readonly actor?: string;
  /** What was decided: allowed or went well, or refused or failed. */
  readonly decision?: "allowed" | "refused";
  /** The stable code of a refusal. */
  readonly code?: string;
}

/** An event with its global name: (origin, index). */
export interface FoundEvent {
  readonly origin: string;
  readonly class: RetentionClass;
  readonly index: number;
  readonly event: LoggedEvent;
}

/** Whether an event is looked for. */
export function matches(filter: EventFilter, event: LoggedEvent): boolean {
  const { sinceMs, untilMs, pluginId, kind, actor, decision, code } = filter;
  return (
    (sinceMs === undefined || event.time >= sinceMs) &&
    (untilMs === undefined || event.time < untilMs) &&
    (pluginId === undefined || event.pluginId === pluginId) &&
    (kind === undefined || event.kind === kind) &&
    (actor === undefined || actorsOf(event).includes(actor)) &&
    (decision === undefined || event.success === (decision === "allowed")) &&
    (code === undefined || event.code === code)
  );
}

/** Everyone who may be named as the actor of an event. */
export function actorsOf({ actor, subject, userId }: LoggedEvent): readonly string[] {
  return [actor, subject, userId].filter((name) => name !== undefined);
}
