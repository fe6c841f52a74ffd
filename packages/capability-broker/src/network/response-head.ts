/**
 * @module Response heads and trailers, bounded, and what a broken response is called. A server is as
 * untrusted as a plugin: it may send heads without end, or frames that two parsers read differently
 * (CWE-444); undici's parser refuses the latter, here they get their code.
 */
import type { HttpResponseHead } from "@glovebox/core/ports";

import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import { MAX_INFORMATIONAL, MAX_RESPONSE_HEADERS, MAX_TRAILERS } from "../limits.ts";

const LENGTH_MISMATCH = "UND_ERR_RES_CONTENT_LENGTH_MISMATCH";
const CUT: ReadonlySet<string> = new Set([
  "UND_ERR_SOCKET",
  LENGTH_MISMATCH,
  "ECONNRESET",
  "EPIPE",
]);

/** A head with its reason phrase, which a plugin is not shown. */
export interface ResponseHead extends HttpResponseHead {
  readonly statusText: string;
}

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
  // The parser reads a body of unknown coding to the connection's end; another may not.
  const codings = pairs.filter(([name]) => name === "transfer-encoding");
  if (codings.some(([, value]) => value.toLowerCase() !== "chunked"))
    return "BROKER_RESPONSE_INVALID";
  const length = pairs.find(([name]) => name === "content-length")?.[1];
  // Refused before the first byte is read; a HEAD announces what it does not send.
  if (length !== undefined && method !== "HEAD" && Number(length) > maxBodyBytes)
    return "BROKER_RESPONSE_SIZE";
  return { status, headers: pairs };
}

/** The trailers, or `undefined` when they are too many. */
export function readTrailers(raw: RawHeaders): HttpResponseHead["headers"] | undefined {
  const pairs = pairsOf(raw);
  return pairs.length > MAX_TRAILERS ? undefined : pairs;
}

/** How far a transfer had come when it failed. */
export type Stage = "connecting" | "waiting" | "reading" | "over";

/** What undici's error means at that stage. */
export function codeOfFailure(error: Error, stage: Stage): BrokerError {
  const raw: unknown = Reflect.get(error, "code");
  const code = typeof raw === "string" ? raw : "";
  const options = { message: `${error.name} ${code}: ${error.message}`, cause: error };
  if (stage === "connecting") return new BrokerError("BROKER_CONNECT", options);
  if (code === "UND_ERR_HEADERS_OVERFLOW") return new BrokerError("BROKER_RESPONSE_HEAD", options);
  // Two lengths, or a length and chunks: the mismatch is found before there is a body.
  const isAmbiguous = stage === "waiting" && code === LENGTH_MISMATCH;
  // undici calls an upgrade or a 100 that nobody asked for a "bad" response of the socket.
  const isCut = CUT.has(code) && !isAmbiguous && !error.message.startsWith("bad ");
  return new BrokerError(isCut ? "BROKER_RESPONSE_TRUNCATED" : "BROKER_RESPONSE_INVALID", options);
}

function pairsOf(raw: RawHeaders): readonly (readonly [string, string])[] {
  if (!Array.isArray(raw))
    return Object.entries(raw ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const parts = raw as readonly (Buffer | string)[];
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2)
    pairs.push([textOf(parts[at]).toLowerCase(), textOf(parts[at + 1])]);
  return pairs;
}

function textOf(part: Buffer | string = ""): string {
  return typeof part === "string" ? part : part.toString("latin1");
}
