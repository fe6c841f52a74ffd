/**
 * @module `POST /plugins/:id/functions/:fn` (contract.md 4): one call, as JSON or as bytes both ways.
 * The content types are a table, and a form of a web page (`text/plain`, urlencoded, multipart) is
 * not in it: a page of another origin cannot send the others without asking first (threat:
 * loopback-web-page).
 */
import type { Refusal } from "@glovebox/core/decision";
import { parseBoundedJson } from "@glovebox/core/json";
import type { CallOutcome, Usage } from "@glovebox/core/ports";
import type { Logger } from "@glovebox/runtime";

import {
  MAX_ENVELOPE_BYTES,
  MAX_INPUT_BYTES,
  MAX_JSON_DEPTH,
  MAX_JSON_ITEMS,
  MAX_JSON_KEYS,
  MIN_LEFT_ANSWER_BYTES,
} from "../limits.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { parseEnvelope } from "./envelope.ts";
import { heldResponse } from "./held-answer.ts";
import { hostProblem, problemResponse } from "./problem.ts";
import { BROKEN_BODY_RULE, readBody } from "./read-body.ts";
import type { RuntimePort } from "./runtime-port.ts";

/** What a call needs. */
export interface CallRouteParts {
  readonly runtime: RuntimePort;
  /** Bytes of the bodies that are held. */
  readonly bodies: ByteBudget;
  /** Bytes of the answers that were not read yet. */
  readonly answers: ByteBudget;
  readonly logger?: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;
const BYTES_TYPE = /^application\/octet-stream *$/i;
const JSON_BOUNDS = {
  maxDepth: MAX_JSON_DEPTH,
  maxKeys: MAX_JSON_KEYS,
  maxItems: MAX_JSON_ITEMS,
} as const;

/** Answers one call; every part of the request is attacker-controlled. */
export async function answerCall(
  parts: CallRouteParts,
  request: Request,
  pluginId: string,
  functionName: string,
): Promise<Response> {
  const type = request.headers.get("content-type") ?? "";
  const isJson = JSON_TYPE.test(type);
  if (request.headers.has("content-encoding") || !(isJson || BYTES_TYPE.test(type))) {
    return hostProblem("HOST_CONTENT_TYPE");
  }
  // Refused before the call, so that no call has effects whose answer cannot be given.
  if (!parts.answers.has(MIN_LEFT_ANSWER_BYTES)) return hostProblem("HOST_BUSY");
  const maxBytes = MAX_INPUT_BYTES + (isJson ? MAX_ENVELOPE_BYTES : 0);
  const body = await readBody(request, maxBytes, parts.bodies);
  if (!body.allowed) {
    if (body.rule === BROKEN_BODY_RULE) parts.logger?.debug({ code: body.code }, body.reason);
    return refusalResponse(body);
  }
  using held = body.value;
  if (!isJson) {
    const outcome = await parts.runtime.executePluginFunction(
      pluginId,
      functionName,
      {},
      held.bytes,
    );
    return bytesResponse(outcome, parts.answers);
  }
  const parsed = parseBoundedJson(held.bytes, {
    maxBytes,
    ...JSON_BOUNDS,
  });
  if (!parsed.allowed) return refusalResponse(parsed);
  const envelope = parseEnvelope(parsed.value, Math.floor(parts.now() / 1000));
  if (!envelope.allowed) return refusalResponse(envelope);
  const { context, input } = envelope.value;
  return jsonResponse(
    await parts.runtime.executePluginFunction(pluginId, functionName, context, input),
    parts.answers,
  );
}

function bytesResponse(outcome: CallOutcome, answers: ByteBudget): Response {
  if (!outcome.ok) return errorResponse(outcome);
  const headers = {
    "content-type": "application/octet-stream",
    "glovebox-usage": JSON.stringify(outcome.usage),
  };
  const output = outcome.output as Uint8Array<ArrayBuffer>;
  return heldResponse(output, headers, answers) ?? busyAfterCall(outcome.usage);
}

function jsonResponse(outcome: CallOutcome, answers: ByteBudget): Response {
  if (!outcome.ok) return errorResponse(outcome);
  const { output, usage } = outcome;
  const text = decodeText(output);
  if (text === undefined) {
    const detail = "The plugin's output is not UTF-8; call it with application/octet-stream.";
    return problemResponse({ code: "HOST_OUTPUT_ENCODING", detail, usage });
  }
  // JSON stands in the answer as the plugin wrote it, so that no number changes on the way.
  const shown = isJsonText(output) ? text : JSON.stringify(text);
  const answer = Buffer.from(`{"output":${shown},"usage":${JSON.stringify(usage)}}`);
  const headers = { "content-type": "application/json" };
  return heldResponse(answer, headers, answers) ?? busyAfterCall(usage);
}

/** Calls that ran at the same time took what was left: the usage says that this one has run, too. */
function busyAfterCall(usage: Usage): Response {
  const detail = "The call has run, but too many answers wait to be read to hold its output.";
  return problemResponse({ code: "HOST_BUSY", detail, usage });
}

/** A BOM stays: it is a part of what the plugin said. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The output is attacker-controlled: what is too deep or too large for a parser is shown as text. */
function isJsonText(output: Uint8Array): boolean {
  const limits = { maxBytes: output.length, ...JSON_BOUNDS };
  return output.length > 0 && parseBoundedJson(output, limits).allowed;
}

function errorResponse({ error, usage }: Extract<CallOutcome, { readonly ok: false }>): Response {
  const { retryAfterMs } = error.details;
  return problemResponse({
    code: error.code,
    detail: error.publicMessage,
    usage,
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
  });
}

/** The reasons of these refusals are about the caller's own body, and quote it bounded. */
function refusalResponse({ code, reason, retryAfterMs }: Refusal): Response {
  return problemResponse({
    code,
    detail: reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
