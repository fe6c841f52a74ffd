/**
 * @module Refusals as `application/problem+json` (RFC 9457). The reader is outside: a problem tells
 * the code and the public message, never the operator's message (CWE-209).
 */
import { STATUS_CODES } from "node:http";

import type { Usage } from "@glovebox/core/ports";

import { HOST_ERRORS, type HostErrorCode } from "../errors.ts";
import { DEFAULT_RETRY_AFTER_S } from "../limits.ts";
import { statusOf } from "./status-table.ts";

/** What a problem tells. */
export interface Problem {
  readonly code: string;
  /** One sentence for the caller. */
  readonly detail: string;
  /** Milliseconds after which the same request may be allowed. */
  readonly retryAfterMs?: number;
  /** What a call that failed has used. */
  readonly usage?: Usage;
}

/** The response for a problem; its status follows from the code. */
export function problemResponse({ code, detail, retryAfterMs, usage }: Problem): Response {
  const status = statusOf(code);
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  const seconds = retryAfterSeconds(status, retryAfterMs);
  if (code === "HOST_OPERATOR") headers["www-authenticate"] = "Bearer";
  if (seconds !== undefined) headers["retry-after"] = String(seconds);
  // The rest of a body that is refused unread is not waited for.
  if (status === 413 || status === 415 || code === "HOST_CLOSING") headers["connection"] = "close";
  const title = STATUS_CODES[status] ?? "Error";
  const body = { type: "about:blank", title, status, code, detail, ...(usage && { usage }) };
  return new Response(JSON.stringify(body), { status, headers });
}

/** The response for a refusal of the host itself: what it means, and what to do. */
export function hostProblem(code: HostErrorCode): Response {
  const { summary, advice } = HOST_ERRORS[code];
  return problemResponse({ code, detail: `${summary} ${advice}` });
}

/** 429 always says when to come again; 503 where the refusal knows. */
function retryAfterSeconds(status: number, retryAfterMs: number | undefined): number | undefined {
  if (retryAfterMs !== undefined && Number.isFinite(retryAfterMs)) {
    return Math.max(1, Math.ceil(retryAfterMs / 1000));
  }
  return status === 429 ? DEFAULT_RETRY_AFTER_S : undefined;
}
