/**
 * @module The context of a call, parsed once. Ids may come from an HTTP request; the tenant comes
 * from the host application, never from a plugin or a body (contract.md 3).
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { parseTenantId, type TenantId } from "@glovebox/core/ids";
import type { JsonValue } from "@glovebox/core/json";
import type { Priority } from "@glovebox/limiter";

import { MAX_CONTEXT_ID_CHARACTERS, MAX_CUSTOM_BYTES } from "../limits.ts";

/** For whom a call is made. */
export interface CallContext {
  /** Of the request that caused the call; 1–128 printable ASCII characters. Default: the call's id. */
  readonly requestId?: string;
  /** 1–128 characters without control characters. */
  readonly userId?: string;
  /** 1–128 printable ASCII characters. Calls of different tenants never share a process. */
  readonly tenantId?: string;
  /** Passed on to the plugin; at most 16 KiB as JSON. */
  readonly custom?: Readonly<Record<string, JsonValue>>;
}

/** How a call is treated, as the host application decides: nothing of it comes from a request. */
export interface CallOptions {
  /**
   * Who goes first where calls wait for their turn. `high` goes before all others, also past a full
   * queue, so keep it for operators. Default: `normal`.
   */
  readonly priority?: Priority;
}

/** A context that was checked. */
export interface ParsedContext {
  readonly requestId?: string;
  readonly userId?: string;
  readonly tenantId?: TenantId;
  readonly custom?: Readonly<Record<string, JsonValue>>;
}

const RULE = "call.context";
const REQUEST_ID = /^[\x21-\x7e]+$/;
const USER_ID = /^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+$/u;
const MEMBERS = new Set(["requestId", "userId", "tenantId", "custom"]);

/** Parses a context; everything in it is attacker-controlled but the tenant. */
export function parseContext(raw: CallContext): Decision<ParsedContext> {
  for (const name in raw) {
    if (!MEMBERS.has(name)) return refusal(`a context has no member ${received(name)}`);
  }
  const { requestId, userId, tenantId, custom } = raw;
  if (requestId !== undefined && !isId(requestId, REQUEST_ID)) {
    return refusal(
      `requestId is 1–128 printable ASCII characters; received ${received(requestId)}`,
    );
  }
  if (userId !== undefined && !isId(userId, USER_ID)) {
    return refusal(`userId is 1–128 characters of text; received ${received(userId)}`);
  }
  if (tenantId !== undefined) {
    const tenant = parseTenantId(tenantId);
    if (!tenant.allowed) return refusal(tenant.reason);
  }
  if (custom !== undefined && !isBoundedObject(custom)) {
    return refusal(`custom is an object of at most ${MAX_CUSTOM_BYTES} bytes as JSON`);
  }
  // The tenant was parsed above, so that the context itself is what was checked.
  return allow(RULE, raw as ParsedContext);
}

function isId(value: unknown, shape: RegExp): boolean {
  return (
    typeof value === "string" && value.length <= MAX_CONTEXT_ID_CHARACTERS && shape.test(value)
  );
}

function isBoundedObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  try {
    return Buffer.byteLength(JSON.stringify(value)) <= MAX_CUSTOM_BYTES;
  } catch {
    return false;
  }
}

function refusal(reason: string): Decision<never> {
  return refuse("RUNTIME_CONTEXT", RULE, reason);
}
