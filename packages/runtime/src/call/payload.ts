/**
 * @module What goes into a call and what comes out of it, bounded and checked against the function's
 * schemas (contract.md 2 and 3). Bytes pass as they are; JSON is written once. Nothing is parsed
 * where no schema asks for it: hot path, see bench `calls`.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { CallId } from "@glovebox/core/ids";
import { type JsonValue, parseBoundedJson } from "@glovebox/core/json";

import { MAX_JSON_DEPTH, MAX_JSON_KEYS } from "../limits.ts";
import type { Generation } from "../plugin/plugin.ts";
import type { ParsedContext } from "./context.ts";

/** The four typed functions: what they get as an object carries a context from the host. */
const TYPED_FUNCTIONS: ReadonlySet<string> = new Set([
  "authenticate",
  "template_function",
  "generate_response",
  "query_datasource",
]);
const RULE = "call.input";
const encoder = new TextEncoder();

/** The bytes that the plugin gets. Bytes are not copied: they must not change until the call ends. */
export function encodeInput(
  generation: Generation,
  functionName: string,
  callId: CallId,
  context: ParsedContext,
  input: Uint8Array | JsonValue,
): Decision<Uint8Array> {
  const check = generation.schemas.get(functionName)?.input;
  const maxBytes = generation.limits.inputBytes;
  if (input instanceof Uint8Array) {
    if (input.length > maxBytes) return tooLarge(input.length, maxBytes);
    if (check !== undefined) {
      const problem = problemOfBytes(input, check);
      if (problem !== undefined) return refuse("RUNTIME_INPUT", RULE, problem);
    }
    return allow(RULE, input);
  }
  // The caller's own part is what the schema describes; the context is added after that.
  const problem = check?.(input);
  if (problem !== undefined) return refuse("RUNTIME_INPUT", RULE, `the input: ${problem}`);
  let whole: unknown = input;
  if (TYPED_FUNCTIONS.has(functionName) && isObject(input)) {
    if (Object.hasOwn(input, "context")) {
      return refuse("RUNTIME_INPUT", RULE, "the member context of the input is set by the host");
    }
    whole = { ...input, context: contextFor(generation, callId, context) };
  }
  return encodeJson(whole, maxBytes);
}

/** Whether the output follows the function's schema; what is wrong with it otherwise. */
export function checkOutput(
  generation: Generation,
  functionName: string,
  output: Uint8Array,
): string | undefined {
  const check = generation.schemas.get(functionName)?.output;
  return check === undefined ? undefined : problemOfBytes(output, check);
}

/** What a plugin learns of its call (contract.md 2); `null` where the caller said nothing. */
function contextFor(
  { manifest, limits }: Generation,
  callId: CallId,
  { requestId, userId, tenantId, custom }: ParsedContext,
): JsonValue {
  return {
    plugin_id: manifest.id,
    version: manifest.version,
    request_id: requestId ?? callId,
    user_id: userId ?? null,
    tenant_id: tenantId ?? null,
    timeout_ms: limits.wallMs,
    custom: custom ?? {},
  };
}

function encodeJson(value: unknown, maxBytes: number): Decision<Uint8Array> {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A circle, or nested too deeply.
  }
  if (text === undefined) {
    return refuse("RUNTIME_INPUT", RULE, `the input has no JSON form: ${received(value)}`);
  }
  if (text.length > maxBytes) return tooLarge(text.length, maxBytes);
  const bytes = encoder.encode(text);
  return bytes.length > maxBytes ? tooLarge(bytes.length, maxBytes) : allow(RULE, bytes);
}

function problemOfBytes(
  bytes: Uint8Array,
  check: (value: unknown) => string | undefined,
): string | undefined {
  const parsed = parseBoundedJson(bytes, {
    maxBytes: bytes.length,
    maxDepth: MAX_JSON_DEPTH,
    maxKeys: MAX_JSON_KEYS,
  });
  return parsed.allowed ? check(parsed.value) : `${parsed.code}: ${parsed.reason}`;
}

function tooLarge(bytes: number, maxBytes: number): Decision<never> {
  const reason = `an input has at most ${maxBytes} bytes; received ${bytes}`;
  return refuse("RUNTIME_INPUT_SIZE", "call.input-size", reason);
}

function isObject(value: JsonValue): value is { readonly [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
