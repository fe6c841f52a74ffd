/**
 * @module From a HOST_CALL frame to a port and back. The payload is attacker-controlled: what is
 * malformed breaks the protocol; what is well-formed is decided by the port, and a port that fails
 * refuses (I9). The plugin learns a refusal's code and nothing else.
 */
import { randomBytes } from "node:crypto";

import { allow, type Decision, failClosed, type Refusal, refuse } from "@glovebox/core/decision";
import { SecurityError } from "@glovebox/core/errors";
import { parseBoundedJson } from "@glovebox/core/json";
import type {
  CallScope,
  HostFunction,
  HostServices,
  HostValue,
  HostValueType,
  HttpExchange,
} from "@glovebox/core/ports";

import { MAX_HOST_CALL_BYTES, MAX_RANDOM_BYTES } from "../limits.ts";
import { HOST_CALL, LOG_LEVELS, readUint32 } from "../protocol/frame-table.ts";
import { decodeParts, encodeParts } from "../protocol/parts.ts";
import type { HostCallContext } from "./exchange.ts";
import type { OpenFiles } from "./file-calls.ts";
import { MalformedHostCall } from "./malformed-host-call.ts";

const RULE = "sandbox.host-call";
const NOTHING = new Uint8Array(0);
const READ_STEP_BYTES = 256 * 1024;
const MAX_FUNCTION_PARTS = 33;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Who answers, and on whose behalf. */
export type HostCallTarget = Pick<HostCallContext, "services" | "scope">;

/**
 * Carries out one host call.
 *
 * @throws {@link MalformedHostCall}
 */
export async function answerHostCall(
  kind: number,
  payload: Uint8Array,
  context: HostCallTarget,
  openFiles: OpenFiles,
): Promise<Decision<Uint8Array>> {
  try {
    return await carryOut(kind, payload, context, openFiles);
  } catch (error) {
    if (error instanceof MalformedHostCall) throw error;
    // A handle that broke, such as an exchange whose grant was revoked, says why by its code.
    if (error instanceof SecurityError) return refuse(error.code, RULE, error.message);
    return failClosed(RULE, () => {
      throw error;
    });
  }
}

function carryOut(
  kind: number,
  payload: Uint8Array,
  { scope, services }: HostCallTarget,
  openFiles: OpenFiles,
): Promise<Decision<Uint8Array>> {
  switch (kind) {
    case HOST_CALL.VARIABLE_GET:
      return getVariable(payload, scope, services);
    case HOST_CALL.VARIABLE_SET:
      return setVariable(payload, scope, services);
    case HOST_CALL.HTTP:
      return request(payload, scope, services);
    case HOST_CALL.LOG:
      return log(payload, scope, services);
    case HOST_CALL.FUNCTION:
      return callFunction(payload, scope, services);
    case HOST_CALL.FILES:
      return openFiles
        .answer(payload, services.files, scope)
        .then((answer) => allow("sandbox.files", answer));
    case HOST_CALL.RANDOM:
      return random(payload);
    default:
      throw new MalformedHostCall(`a host call of kind ${kind}`);
  }
}

async function getVariable(
  key: Uint8Array,
  scope: CallScope,
  services: HostServices,
): Promise<Decision<Uint8Array>> {
  const decision = await services.variables.get(scope, decoder.decode(key));
  if (!decision.allowed) return decision;
  return allow(
    decision.rule,
    decision.value === undefined ? NOTHING : encodeParts([decision.value]),
  );
}

async function setVariable(
  payload: Uint8Array,
  scope: CallScope,
  services: HostServices,
): Promise<Decision<Uint8Array>> {
  const [key, value] = parts(payload, 2);
  if (key === undefined) throw new MalformedHostCall("a variable without a key");
  const decision = await services.variables.set(scope, decoder.decode(key), value?.slice());
  return decision.allowed ? allow(decision.rule, NOTHING) : decision;
}

async function request(
  payload: Uint8Array,
  scope: CallScope,
  services: HostServices,
): Promise<Decision<Uint8Array>> {
  const [head, body] = parts(payload, 2);
  if (head === undefined || body === undefined)
    throw new MalformedHostCall("a request without its parts");
  const parsed = parseRequest(head);
  if (!parsed.allowed) return parsed;
  const begun = await services.http.begin(scope, parsed.value);
  if (!begun.allowed) return begun;
  await using exchange = begun.value;
  if (body.length > 0) await exchange.writeBody(body);
  const response = await exchange.finish();
  const headers = Object.fromEntries(
    response.headers.map(([name, value]) => [name.toLowerCase(), value]),
  );
  const received = await readAll(exchange);
  if (!received.allowed) return received;
  const description = encoder.encode(JSON.stringify({ status: response.status, headers }));
  return allow(begun.rule, encodeParts([description, received.value]));
}

interface PluginRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** Extism's request: `{url, method?, headers?}`; which values are acceptable is the broker's to say. */
function parseRequest(head: Uint8Array): Decision<PluginRequest> {
  const json = parseBoundedJson(head);
  if (!json.allowed) return json;
  const value = json.value as { url?: unknown; method?: unknown; headers?: unknown } | null;
  const { url, method = "GET", headers = {} } = value ?? {};
  if (
    typeof url !== "string" ||
    typeof method !== "string" ||
    typeof headers !== "object" ||
    headers === null
  ) {
    return malformed("a request is {url: string, method?: string, headers?: object of strings}");
  }
  const pairs: [string, string][] = [];
  for (const [name, text] of Object.entries(headers)) {
    if (typeof text !== "string")
      return malformed("the value of a request header must be a string");
    pairs.push([name, text]);
  }
  return allow("sandbox.http", { url, method, headers: pairs });
}

async function readAll(exchange: HttpExchange): Promise<Decision<Uint8Array>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const piece = await exchange.readBody(READ_STEP_BYTES);
    if (piece === null)
      return allow(
        "sandbox.http",
        pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces),
      );
    size += piece.length;
    if (size > MAX_HOST_CALL_BYTES)
      return malformed(`a response of more than ${MAX_HOST_CALL_BYTES} bytes`);
    pieces.push(piece);
  }
}

async function log(
  payload: Uint8Array,
  scope: CallScope,
  services: HostServices,
): Promise<Decision<Uint8Array>> {
  const [place, message] = parts(payload, 2);
  const level = LOG_LEVELS[place?.[0] ?? LOG_LEVELS.length];
  if (level === undefined || message === undefined) {
    throw new MalformedHostCall("a log entry without a level or a text");
  }
  services.log(scope, level, decoder.decode(message));
  return allow("sandbox.log", NOTHING);
}

async function callFunction(
  payload: Uint8Array,
  scope: CallScope,
  services: HostServices,
): Promise<Decision<Uint8Array>> {
  const [place, ...raw] = parts(payload, MAX_FUNCTION_PARTS);
  const [name, target] = [...services.functions][Number(decoder.decode(place))] ?? [];
  if (name === undefined || target === undefined || raw.length !== target.parameters.length) {
    throw new MalformedHostCall(
      "a host function that was not offered, or with the wrong arguments",
    );
  }
  const args = target.parameters.map((type, at) => decodeValue(type, raw[at] ?? NOTHING));
  const decision = await target.call(scope, args);
  if (!decision.allowed) return decision;
  return allow(decision.rule, encodeResult(target, decision.value));
}

/** What a process that a plugin has taken over sends may have any form; a host function gets its types. */
function decodeValue(type: HostValueType, bytes: Uint8Array): HostValue {
  if (type === "bytes") return bytes.slice();
  const text = decoder.decode(bytes);
  if (type === "f64") return Number(text);
  const value = /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  const bits = type === "i64" ? 64 : 32;
  if (value === undefined || BigInt.asIntN(bits, value) !== value)
    throw new MalformedHostCall(`an ${type} that is none`);
  return type === "i64" ? value : Number(value);
}

/** A value of another type than declared is the host function's mistake, and must not become a plugin's trap. */
function encodeResult(target: HostFunction, value: HostValue | undefined): Uint8Array {
  const { result } = target;
  if (result === "none") return NOTHING;
  if (result === "bytes") {
    if (value === undefined) return NOTHING;
    if (!(value instanceof Uint8Array)) throw new TypeError(`the result is no ${result}`);
    if (value.length > MAX_HOST_CALL_BYTES)
      throw new RangeError(`a result of more than ${MAX_HOST_CALL_BYTES} bytes`);
    return encodeParts([value]);
  }
  const number = value ?? 0;
  const fits =
    result === "f64" ? typeof number === "number" : isWhole(number, result === "i64" ? 64 : 32);
  if (!fits) throw new TypeError(`the result is no ${result}`);
  return encodeParts([encoder.encode(String(number))]);
}

/** Whether a value is an integer of so many bits, with or without a sign. */
function isWhole(value: HostValue, bits: number): boolean {
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) return false;
  const whole = BigInt(value as number | bigint);
  return BigInt.asIntN(bits, whole) === whole || BigInt.asUintN(bits, whole) === whole;
}

/** From the host, since the system call for it is none that a runner may make. */
async function random(payload: Uint8Array): Promise<Decision<Uint8Array>> {
  const bytes = payload.length === 4 ? readUint32(payload, 0) : Number.POSITIVE_INFINITY;
  if (bytes > MAX_RANDOM_BYTES)
    throw new MalformedHostCall("a request for random bytes that is none");
  return allow("sandbox.random", randomBytes(bytes));
}

function parts(payload: Uint8Array, max: number): Uint8Array[] {
  const decoded = decodeParts(payload, max);
  if (decoded === undefined) throw new MalformedHostCall("a payload whose parts do not add up");
  return decoded;
}

function malformed(reason: string): Refusal {
  return refuse("SANDBOX_HOST_CALL_REFUSED", "sandbox.host-call", reason);
}
