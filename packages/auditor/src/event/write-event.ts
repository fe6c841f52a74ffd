/**
 * @module One event as canonical JSON (RFC 8785). The writer is made once from the table of members:
 * one small function per member, in the order of the standard, so that writing sorts nothing, makes
 * no object and reads every property through a site of its own (bench `audit-events`; a general
 * canonicaliser costs twice as much).
 *
 * Canonical JSON escapes every line feed, so that no text of an attacker can begin a line (CWE-117).
 */
import { type Refusal, refuse } from "@glovebox/core/decision";
import { received, SecurityError } from "@glovebox/core/errors";
import { canonicalJson, type JsonValue } from "@glovebox/core/json";
import type { AuditEvent, OperationScope, Usage } from "@glovebox/core/ports";

import { findKind } from "./event-kinds.ts";
import {
  EVENT_FORMAT,
  EVENT_MEMBERS,
  type EventMemberEntry,
  type EventMemberName,
  type MemberType,
  USAGE_MEMBERS,
} from "./event-members.ts";

/** What the auditor itself adds to an event. */
export interface AuditorMembers {
  readonly time: number;
  readonly count?: number;
  readonly firstTime?: number;
  readonly subject?: string;
  /** Already canonical JSON, as the erasure folder writes it. */
  readonly encJson?: string;
  readonly piiJson?: string;
  readonly userId?: string;
}

/** Says what is wrong with an event; its message becomes the refusal's reason. */
export class Malformed extends Error {}

/** Members of the port's event that are not written under their own name. */
const PERSONAL_MEMBERS: ReadonlySet<string> = new Set(["userId", "personal"]);

type Read = (scope: OperationScope, event: AuditEvent, own: AuditorMembers) => unknown;
type Write = (value: never, name: string, entry: EventMemberEntry) => string;

/** Where each member is read; one closure each keeps every read monomorphic. */
const READ: Readonly<Record<EventMemberName, Read>> = {
  actor: (_, event) => event.actor,
  callId: (scope) => scope.callId,
  code: (_, event) => event.code,
  count: (_, __, own) => own.count,
  details: (_, event) => event.details,
  enc: (_, __, own) => own.encJson,
  error: (_, event) => event.error,
  executionTimeMs: (_, event) => event.executionTimeMs,
  firstTime: (_, __, own) => own.firstTime,
  function: (_, event) => event.function,
  grantId: (_, event) => event.grantId,
  kind: (_, event) => event.kind,
  pii: (_, __, own) => own.piiJson,
  pluginId: (scope) => scope.pluginId,
  resourceUsage: (_, event) => event.resourceUsage,
  rule: (_, event) => event.rule,
  subject: (_, __, own) => own.subject,
  success: (_, event) => event.success,
  tenantId: (scope) => scope.tenantId,
  time: (_, __, own) => own.time,
  traceId: (_, event) => event.traceId,
  userId: (_, __, own) => own.userId,
  v: () => EVENT_FORMAT,
};

const WRITE: Readonly<Record<MemberType, Write>> = {
  // Known to be in the table, whose names need no escape.
  kind: (value: string) => `"${value}"`,
  text: writeText,
  flag: writeFlag,
  number: writeNumber,
  count: writeNumber,
  object: writeObject,
  usage: writeUsage,
  // Given as canonical JSON by the erasure folder.
  texts: (value: string) => value,
};

interface Step {
  readonly name: EventMemberName;
  readonly entry: EventMemberEntry;
  /** `,"name":` */
  readonly prefix: string;
  readonly isFromEvent: boolean;
  readonly read: Read;
  readonly write: Write;
}

const STEPS: readonly Step[] = Object.entries(
  EVENT_MEMBERS as Record<EventMemberName, EventMemberEntry>,
).map(([key, entry]) => {
  const name = key as EventMemberName;
  const isFromEvent = entry.from === "event";
  return {
    name,
    entry,
    prefix: `,"${name}":`,
    isFromEvent,
    read: READ[name],
    write: WRITE[entry.type],
  };
});

const KNOWN: ReadonlySet<string> = new Set([
  ...STEPS.filter(({ isFromEvent }) => isFromEvent).map(({ name }) => name),
  ...PERSONAL_MEMBERS,
]);

/** Text that is its own JSON: printable ASCII without quote and backslash. */
const PLAIN_TEXT = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * Writes an event with the ids of its scope; of the scope only `pluginId`, `callId` and `tenantId`
 * are read. `mayBeOwn` is for the auditor's events about itself.
 */
export function writeEvent(
  scope: OperationScope,
  event: AuditEvent,
  own: AuditorMembers,
  mayBeOwn = false,
): string | Refusal {
  const entry = findKind(event.kind);
  if (entry === undefined || (entry.own === true && !mayBeOwn)) {
    const reason = `the kind is one of the table's; received ${received(event.kind)}`;
    return refuse("AUDITOR_EVENT_KIND", "audit.event", reason);
  }
  try {
    return write(scope, event, own);
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof SecurityError)) throw error;
    const reason = `event ${received(event.kind)}: ${error.message}`;
    return refuse("AUDITOR_EVENT_INVALID", "audit.event", reason);
  }
}

function write(scope: OperationScope, event: AuditEvent, own: AuditorMembers): string {
  let json = "";
  let fromEvent = 0;
  for (const { name, entry, prefix, isFromEvent, read, write: writeValue } of STEPS) {
    const value = read(scope, event, own);
    if (value === undefined) continue;
    if (isFromEvent) fromEvent += 1;
    json += prefix + writeValue(value as never, name, entry);
  }
  if (Object.keys(event).length !== fromEvent) checkNames(event);
  if (event.success === undefined) throw new Malformed("success is true or false");
  // Every event has a kind, so that there is a first comma to be replaced.
  return `{${json.slice(1)}}`;
}

function checkNames(event: AuditEvent): void {
  for (const name in event) {
    if (!KNOWN.has(name)) throw new Malformed(`no member ${received(name)} is known`);
  }
}

/** Writes text of an event; the value is often attacker-controlled. */
export function writeText(
  value: string,
  name: string,
  { pattern }: Partial<EventMemberEntry> = {},
): string {
  if (typeof value !== "string") {
    throw new Malformed(`${name} is text; received ${received(value)}`);
  }
  if (pattern !== undefined && !pattern.test(value)) {
    throw new Malformed(`${name} is ${pattern.source}; received ${received(value)}`);
  }
  if (PLAIN_TEXT.test(value)) return `"${value}"`;
  // Half a surrogate pair has no UTF-8 to be hashed.
  if (!value.isWellFormed()) throw new Malformed(`${name} is well-formed Unicode`);
  return JSON.stringify(value);
}

function writeFlag(value: boolean, name: string): string {
  if (typeof value !== "boolean") throw new Malformed(`${name} is true or false`);
  return value ? "true" : "false";
}

function writeNumber(value: number, name: string): string {
  if (!Number.isFinite(value)) throw new Malformed(`${name} is a finite number`);
  // As RFC 8785 section 3.2.2.3 wants it; −0 becomes 0.
  return String(value);
}

function writeObject(value: Readonly<Record<string, JsonValue>>, name: string): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Malformed(`${name} is an object`);
  }
  return canonicalJson(value);
}

function writeUsage(usage: Usage, member: string): string {
  if (typeof usage !== "object" || usage === null) throw new Malformed(`${member} is an object`);
  if (Object.keys(usage).length !== USAGE_MEMBERS.length) {
    throw new Malformed(`${member} has the members ${USAGE_MEMBERS.join(", ")}`);
  }
  let json = "";
  for (const name of USAGE_MEMBERS) {
    const value = usage[name];
    const isKnown =
      name === "instructionsExact" ? typeof value === "boolean" : Number.isFinite(value);
    if (!isKnown && value !== null) {
      throw new Malformed(`${member}.${name} is measured or null; received ${received(value)}`);
    }
    json += `${json === "" ? "{" : ","}"${name}":${value}`;
  }
  return `${json}}`;
}
