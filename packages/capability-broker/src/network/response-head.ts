/**
 * @module Response heads and trailers, bounded, and what a broken response is called. A server is as
 * untrusted as a plugin: it may send heads without end, or frames that two parsers read differently
 * (CWE-444); undici's parser refuses the latter, here they get their code.
 */
import type { HttpResponseHead } from "@glovebox/core/ports";

import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import { MAX_INFORMATIONAL, MAX_RESPONSE_HEADERS, MAX_TRAILERS } from "../limits.ts";

type RawHeaders = readonly (Buffer | string)[] | object | null | undefined;

/**
 * The head of the `nth` response on an exchange: `informational` for a 1xx within bounds, a code for
 * what ends the exchange.
 */
export function readHead(
  raw: RawHeaders,
  status: number,
  nth: number,
  method: string,
  maxBodyBytes: number,
): HttpResponseHead | "informational" | BrokerErrorCode {
  if (status < 200) return nth > MAX_INFORMATIONAL ? "BROKER_RESPONSE_HEAD" : "informational";
  const pairs = pairsOf(raw);
  if (pairs.length > MAX_RESPONSE_HEADERS) return "BROKER_RESPONSE_HEAD";
  const length = pairs.find(([name]) => name === "content-length")?.[1];
  // Refused before the first byte is read; a HEAD announces what it does not send.
  if (length !== undefined && method !== "HEAD" && Number(length) > maxBodyBytes)
    return "BROKER_RESPONSE_SIZE";
  return { status, headers: pairs };
}

/** Whether the trailers are within bounds. */
export function checkTrailers(raw: RawHeaders): boolean {
  return pairsOf(raw).length <= MAX_TRAILERS;
}

/** What undici's error means. */
export function codeOfResponse(error: Error, hasHead: boolean): BrokerError {
  const raw: unknown = Reflect.get(error, "code");
  const code = typeof raw === "string" ? raw : "";
  const options = { message: `${code}: ${error.message}`, cause: error };
  if (code === "UND_ERR_HEADERS_OVERFLOW") return new BrokerError("BROKER_RESPONSE_HEAD", options);
  if (
    code.startsWith("HPE_") ||
    error.message.startsWith("bad ") ||
    code === "UND_ERR_INVALID_ARG"
  ) {
    return new BrokerError("BROKER_RESPONSE_INVALID", options);
  }
  if (hasHead || code === "UND_ERR_SOCKET" || code === "ECONNRESET") {
    return new BrokerError("BROKER_RESPONSE_TRUNCATED", options);
  }
  return new BrokerError("BROKER_CONNECT", options);
}

function pairsOf(raw: RawHeaders): readonly (readonly [string, string])[] {
  if (!Array.isArray(raw))
    return Object.entries(raw ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const flat = (raw as readonly (Buffer | string)[]).map((part) =>
    typeof part === "string" ? part : part.toString("latin1"),
  );
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2)
    pairs.push([(flat[at] ?? "").toLowerCase(), flat[at + 1] ?? ""]);
  return pairs;
}
