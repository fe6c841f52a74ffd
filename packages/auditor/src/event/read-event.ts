/**
 * @module Reading an event back from a log, strictly: what is read is written again and must be the
 * same text, so that duplicate keys, half surrogate pairs, other spellings of one number and white
 * space are refused by one comparison, and a reader can never see another event than a verifier.
 */
import { isUtf8 } from "node:buffer";

import { allow, type Decision, failClosed, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { canonicalJson, type JsonValue } from "@glovebox/core/json";

import { findKind } from "./event-kinds.ts";
import {
  EVENT_FORMAT,
  EVENT_MEMBERS,
  type EventMemberEntry,
  type LoggedEvent,
  type MemberType,
  USAGE_MEMBERS,
} from "./event-members.ts";

const RULE = "audit.entry";

const MEMBERS: ReadonlyMap<string, EventMemberEntry> = new Map(Object.entries(EVENT_MEMBERS));
const REQUIRED: readonly string[] = [...MEMBERS]
  .filter(([, { required }]) => required === true)
  .map(([name]) => name);

const IS: Readonly<Record<MemberType, (value: JsonValue) => boolean>> = {
  kind: (value) => typeof value === "string" && findKind(value) !== undefined,
  text: (value) => typeof value === "string",
  flag: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number",
  count: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  object: isObject,
  usage: (value) =>
    isObject(value) &&
    Object.keys(value).length === USAGE_MEMBERS.length &&
    USAGE_MEMBERS.every((name) => Object.hasOwn(value, name)),
  texts: (value) =>
    isObject(value) && Object.values(value).every((text) => typeof text === "string"),
};

/** Reads an entry of a log, which may be anyone's bytes. Refuses with `AUDITOR_ENTRY_INVALID`. */
export function readEvent(bytes: Uint8Array): Decision<LoggedEvent> {
  return failClosed(RULE, () => {
    if (!isUtf8(bytes)) return invalid("it is not UTF-8");
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    const value = parse(text);
    if (!isObject(value)) return invalid("it is not a JSON object");
    const problem = problemOf(value) ?? spellingProblem(value, text);
    return problem === undefined ? allow(RULE, value as unknown as LoggedEvent) : invalid(problem);
  });
}

function problemOf(event: Readonly<Record<string, JsonValue>>): string | undefined {
  for (const name of REQUIRED) if (!Object.hasOwn(event, name)) return `it lacks ${name}`;
  if (event["v"] !== EVENT_FORMAT) return `its format is ${received(event["v"])}`;
  for (const [name, value] of Object.entries(event)) {
    const entry = MEMBERS.get(name);
    if (entry === undefined) return `no member ${received(name)} is known`;
    if (!IS[entry.type](value)) return `${name} is no ${entry.type}`;
    if (entry.pattern !== undefined && !entry.pattern.test(value as string)) {
      return `${name} is not ${entry.pattern.source}`;
    }
  }
  return undefined;
}

function spellingProblem(event: JsonValue, text: string): string | undefined {
  try {
    return canonicalJson(event) === text ? undefined : "it is not canonical JSON";
  } catch (error) {
    return `it is not canonical JSON: ${String(error)}`;
  }
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function isObject(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(problem: string): Decision<LoggedEvent> {
  return refuse("AUDITOR_ENTRY_INVALID", RULE, `the entry is no event of format 1: ${problem}`);
}
