/**
 * @module One event as canonical JSON (RFC 8785), written member by member in the order that the
 * standard wants, because a general writer costs several times as much on the path of every call.
 * Canonical JSON escapes every line feed, so that no text of an attacker can begin a line (CWE-117).
 *
 * The schema is closed: an unknown member is refused and never dropped in silence.
 */
import { type Refusal, refuse } from "@glovebox/core/decision";
import { received, SecurityError } from "@glovebox/core/errors";
import { canonicalJson } from "@glovebox/core/json";
import type { AuditEvent, OperationScope, Usage } from "@glovebox/core/ports";

import { findKind } from "./event-kinds.ts";

const EVENT_MEMBERS: ReadonlySet<string> = new Set([
  "code",
  "details",
  "error",
  "executionTimeMs",
  "function",
  "kind",
  "resourceUsage",
  "rule",
  "success",
  "userId",
]);

/** Sorted by key, as everything that is written here. */
const USAGE_MEMBERS = [
  "cpuMs",
  "fileOperations",
  "inputBytes",
  "instructions",
  "instructionsExact",
  "memoryPeakBytes",
  "networkRequests",
  "outputBytes",
  "wallMs",
] as const satisfies readonly (keyof Usage)[];

/** Signals a malformed event inside of this file; its message becomes the refusal's reason. */
class Malformed extends Error {}

/**
 * Writes an event with the ids of its scope; of the scope only `pluginId`, `callId` and `tenantId`
 * are read. `mayBeOwn` is for the log's events about itself.
 */
export function encodeEvent(
  scope: OperationScope,
  event: AuditEvent,
  mayBeOwn = false,
): string | Refusal {
  const entry = findKind(event.kind);
  if (entry === undefined || (entry.own === true && !mayBeOwn)) {
    const reason = `the kind is one of the table's; received ${received(event.kind)}`;
    return refuse("AUDITOR_EVENT_KIND", "audit.event", reason);
  }
  try {
    return write(scope, event);
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof SecurityError)) throw error;
    const reason = `event ${received(event.kind)}: ${error.message}`;
    return refuse("AUDITOR_EVENT_INVALID", "audit.event", reason);
  }
}

function write(scope: OperationScope, event: AuditEvent): string {
  for (const member in event) {
    if (!EVENT_MEMBERS.has(member)) throw new Malformed(`no member ${received(member)} is known`);
  }
  if (typeof event.success !== "boolean") throw new Malformed("success is true or false");
  const { details, resourceUsage } = event;
  let json = "{";
  json += text("callId", scope.callId);
  json += text("code", event.code);
  if (details !== undefined) json += `"details":${detailsOf(details)},`;
  json += text("error", event.error);
  json += number("executionTimeMs", event.executionTimeMs);
  json += text("function", event.function);
  json += `"kind":"${event.kind}",`;
  json += text("pluginId", scope.pluginId);
  if (resourceUsage !== undefined) json += `"resourceUsage":${usageOf(resourceUsage)},`;
  json += text("rule", event.rule);
  json += `"success":${event.success}`;
  json += text("tenantId", scope.tenantId, ",");
  json += text("userId", event.userId, ",");
  return `${json}}`;
}

/** A member that may be absent, with a comma after it, or before it once there surely is another. */
function text(name: string, value: string | undefined, before = ""): string {
  if (value === undefined) return "";
  if (typeof value !== "string")
    throw new Malformed(`${name} is text; received ${received(value)}`);
  // The value is often attacker-controlled; half a surrogate pair has no UTF-8 to be hashed.
  if (!value.isWellFormed()) throw new Malformed(`${name} is well-formed Unicode`);
  return before === ""
    ? `"${name}":${JSON.stringify(value)},`
    : `${before}"${name}":${JSON.stringify(value)}`;
}

function number(name: string, value: number | undefined): string {
  if (value === undefined) return "";
  if (!Number.isFinite(value)) throw new Malformed(`${name} is a finite number`);
  return `"${name}":${JSON.stringify(value)},`;
}

function detailsOf(details: NonNullable<AuditEvent["details"]>): string {
  if (typeof details !== "object" || details === null || Array.isArray(details)) {
    throw new Malformed("details is an object");
  }
  return canonicalJson(details);
}

function usageOf(usage: Usage): string {
  if (typeof usage !== "object" || usage === null)
    throw new Malformed("resourceUsage is an object");
  if (Object.keys(usage).length !== USAGE_MEMBERS.length) {
    throw new Malformed(`resourceUsage has the members ${USAGE_MEMBERS.join(", ")}`);
  }
  let json = "{";
  for (const name of USAGE_MEMBERS) {
    const value = usage[name];
    const known =
      name === "instructionsExact" ? typeof value === "boolean" : Number.isFinite(value);
    if (!known && value !== null) {
      throw new Malformed(`resourceUsage.${name} is measured or null; received ${received(value)}`);
    }
    json += `${json === "{" ? "" : ","}"${name}":${JSON.stringify(value)}`;
  }
  return `${json}}`;
}
