/**
 * @module The kinds of event of the audit log, as the runtime uses them, and the kinds of the modules
 * translated into them: a module names what it does in its own words and knows no log. The module's
 * word stays in the event as `details.step`.
 */
import type { AuditEvent } from "@glovebox/core/ports";

/** What the runtime records itself, under the names that the code uses. */
export const EVENT = {
  started: "started",
  stopped: "stopped",
  configuration: "configuration",
  loosening: "loosening",
  operator: "operator",
  load: "load",
  unload: "unload",
  verify: "verify",
  validate: "validate",
  quarantine: "quarantine",
  throttle: "throttle",
  alert: "alert",
  call: "call",
  hostFunction: "function",
} as const;

/** The two events of a call that ran, told apart by their rule. */
export const CALL_RULE = { start: "call.start", end: "call.end" } as const;

/** First word of a module's kind → kind in the log. */
const KIND_BY_MODULE_WORD: Readonly<Record<string, string>> = {
  network: "http",
  http: "http",
  file: "file",
  filesystem: "file",
};

/** Kinds that do not follow their first word. */
const KIND_BY_MODULE_KIND: Readonly<Record<string, string>> = {
  "capability.grant": "grant",
  "capability.revoke": "revoke",
  "capability.approve": "operator",
  "capability.approval": "grant",
};

/** The event under a kind of the log's table; an event of the runtime comes back as it is. */
export function inLogWords(event: AuditEvent): AuditEvent {
  const at = event.kind.indexOf(".");
  if (at < 0) return event;
  const kind = KIND_BY_MODULE_KIND[event.kind] ?? KIND_BY_MODULE_WORD[event.kind.slice(0, at)];
  // What is not known goes on as it is: the log refuses it, and with it the effect (I9).
  return kind === undefined
    ? event
    : { ...event, kind, details: { ...event.details, step: event.kind } };
}
