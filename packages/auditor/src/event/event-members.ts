/**
 * @module The one table of an event's members, format 1. The canonical writer, the strict reader,
 * the TypeScript types and docs/audit-events.md are all derived from it, so that they cannot differ.
 * The schema is closed: an unknown member is refused and never dropped in silence.
 */
import type { JsonValue } from "@glovebox/core/json";
import type { Usage } from "@glovebox/core/ports";

import type { EventKind } from "./event-kinds.ts";

/** Version of the format; every event says it in `v`. */
export const EVENT_FORMAT = 1;

/** TypeScript's view of the types of the table. */
interface MemberTypes {
  kind: EventKind;
  text: string;
  flag: boolean;
  number: number;
  /** A whole number from 0. */
  count: number;
  /** Any JSON object; written canonically. */
  object: Readonly<Record<string, JsonValue>>;
  usage: Usage;
  /** Text by name. */
  texts: Readonly<Record<string, string>>;
}

/** The type of a member's value. */
export type MemberType = keyof MemberTypes;

/** One member. */
export interface EventMemberEntry {
  readonly type: MemberType;
  /** Who gives it: the recorded event, the scope of the call that it concerns, or the auditor. */
  readonly from: "event" | "scope" | "auditor";
  /** What it says, in one sentence, with its unit. */
  readonly summary: string;
  /** What text must look like. */
  readonly pattern?: RegExp;
  /** Whether every event has it. */
  readonly required?: true;
}

/** Every member as it is written, in the order of RFC 8785 section 3.2.3 (a test compares). */
export const EVENT_MEMBERS = {
  actor: {
    type: "text",
    from: "event",
    summary: "Who acted where it was not the plugin: `host` or `operator:NAME`.",
    pattern: /^(?:host|plugin|operator(?::[\x21-\x7e]{1,110})?)$/,
  },
  callId: { type: "text", from: "scope", summary: "The call that it belongs to." },
  code: { type: "text", from: "event", summary: "The stable code of a refusal or failure." },
  count: {
    type: "count",
    from: "auditor",
    summary: "How many equal denials it stands for, since `firstTime`.",
  },
  details: {
    type: "object",
    from: "event",
    summary: "What else is to be known; no secrets, no personal data.",
  },
  enc: {
    type: "texts",
    from: "auditor",
    summary:
      "The personal fields, AES-256-GCM under the subject's key: `ct`, `iv`, `tag` in base64.",
  },
  error: { type: "text", from: "event", summary: "What went wrong, for an operator." },
  executionTimeMs: { type: "number", from: "event", summary: "Milliseconds that it took." },
  firstTime: {
    type: "count",
    from: "auditor",
    summary: "Of a counted event: when the first one came, milliseconds since 1970.",
  },
  function: { type: "text", from: "event", summary: "The plugin's function." },
  grantId: { type: "text", from: "event", summary: "The grant that allowed or refused it." },
  kind: {
    type: "kind",
    from: "event",
    summary: "What happened: a kind of the table.",
    required: true,
  },
  pii: {
    type: "texts",
    from: "auditor",
    summary: "A salted commitment (SHA-256, base64url) to each personal field, by name.",
  },
  pluginId: { type: "text", from: "scope", summary: "The plugin that it concerns." },
  resourceUsage: { type: "usage", from: "event", summary: "What a call used." },
  rule: { type: "text", from: "event", summary: "The rule that decided." },
  seq: {
    type: "count",
    from: "auditor",
    summary:
      "Its place among all events of the host since the logs were opened: orders one millisecond.",
  },
  subject: {
    type: "text",
    from: "auditor",
    summary: "Pseudonym of the person that it concerns; means nothing without that person's key.",
  },
  success: {
    type: "flag",
    from: "event",
    summary: "Whether it was allowed, or went well.",
    required: true,
  },
  tenantId: {
    type: "text",
    from: "scope",
    summary: "The tenant, as the host application names it.",
  },
  time: {
    type: "count",
    from: "auditor",
    summary: "When it was recorded, milliseconds since 1970.",
    required: true,
  },
  traceId: {
    type: "text",
    from: "event",
    summary: "The trace that it belongs to (W3C Trace Context).",
    pattern: /^(?!0{32})[0-9a-f]{32}$/,
  },
  userId: {
    type: "text",
    from: "auditor",
    summary: "The person in the clear: only where encryption was loosened by name.",
  },
  v: { type: "count", from: "auditor", summary: "Version of the format: 1.", required: true },
} as const satisfies Readonly<Record<string, EventMemberEntry>>;

/** A member's name. */
export type EventMemberName = keyof typeof EVENT_MEMBERS;

type TypeOf<Name extends EventMemberName> = MemberTypes[(typeof EVENT_MEMBERS)[Name]["type"]];
type RequiredName = {
  [Name in EventMemberName]: (typeof EVENT_MEMBERS)[Name] extends { required: true } ? Name : never;
}[EventMemberName];

/** An event as the table has it; a test holds {@link LoggedEvent} to it, which is easier to read. */
export type TabledEvent = { readonly [Name in RequiredName]: TypeOf<Name> } & {
  readonly [Name in Exclude<EventMemberName, RequiredName>]?: TypeOf<Name>;
};

/** An event as it stands in a log; what its members say is in the table. */
export interface LoggedEvent {
  readonly actor?: string;
  readonly callId?: string;
  readonly code?: string;
  readonly count?: number;
  readonly details?: Readonly<Record<string, JsonValue>>;
  readonly enc?: Readonly<Record<string, string>>;
  readonly error?: string;
  readonly executionTimeMs?: number;
  readonly firstTime?: number;
  readonly function?: string;
  readonly grantId?: string;
  readonly kind: EventKind;
  readonly pii?: Readonly<Record<string, string>>;
  readonly pluginId?: string;
  readonly resourceUsage?: Usage;
  readonly rule?: string;
  readonly seq?: number;
  readonly subject?: string;
  readonly success: boolean;
  readonly tenantId?: string;
  readonly time: number;
  readonly traceId?: string;
  readonly userId?: string;
  readonly v: number;
}

/** Names of the personal fields: those of an event's `personal`, and `userId`. */
export const PERSONAL_NAME: RegExp = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

/** Members of a usage, sorted; what they mean is said at `Usage` in `@glovebox/core/ports`. */
export const USAGE_MEMBERS = [
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
