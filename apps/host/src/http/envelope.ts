/**
 * @module The JSON body of a call: `{"context"?: {requestId?, userId?, custom?}, "input": any}`. The
 * tenant is the host application's to say and never a body's (contract.md 3), and so is the time:
 * WebAssembly has no clock, so `custom.now` is set here whatever the caller wrote there.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { JsonValue } from "@glovebox/core/json";

type JsonObject = { readonly [key: string]: JsonValue };

/** A body that has the right shape; the runtime parses what the context holds. */
export interface Envelope {
  readonly context: JsonObject;
  readonly input: JsonValue;
}

const MEMBERS = new Set(["context", "input"]);

/** Parses a body; `nowSeconds` since 1970. */
export function parseEnvelope(raw: JsonValue, nowSeconds: number): Decision<Envelope> {
  if (!isObject(raw)) return refusal(`expected an object; received ${received(raw)}`);
  const unknown = Object.keys(raw).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) return refusal(`a body has no member ${received(unknown)}`);
  const { context = {}, input } = raw as {
    readonly context?: JsonValue;
    readonly input?: JsonValue;
  };
  if (input === undefined) return refusal("a body has a member input");
  if (!isObject(context)) return refusal(`context is an object; received ${received(context)}`);
  if (Object.hasOwn(context, "tenantId")) {
    const reason = "a request may not name a tenant: leave tenantId out";
    return refuse("HOST_TENANT", "http.tenant", reason);
  }
  const { custom = {} } = context as { readonly custom?: JsonValue };
  // What is no object is the runtime's to refuse.
  const timed = isObject(custom) ? { ...custom, now: nowSeconds } : custom;
  return allow("http.body", { context: { ...context, custom: timed }, input });
}

function refusal(reason: string): Decision<never> {
  return refuse("HOST_BODY", "http.body", reason);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
