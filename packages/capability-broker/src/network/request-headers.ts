/**
 * @module Request headers that a plugin may send. Framing, routing and hop-by-hop fields belong to
 * the broker (request smuggling, CWE-444); fields that name a client's address or unlock a cloud's
 * metadata service are refused too. RFC 9110 section 5.5, RFC 9112 section 11.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_REQUEST_HEAD_BYTES, MAX_REQUEST_HEADERS } from "../limits.ts";

const RULE = "network.headers";
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
// Visible ASCII, space, tab and obs-text: what one byte can carry (RFC 9110 section 5.5).
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

const DENIED: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "content-length",
  "upgrade",
  "expect",
  "http2-settings",
  "via",
  "forwarded",
  "x-real-ip",
  "x-client-ip",
  "true-client-ip",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
  "metadata",
  "metadata-flavor",
  "x-google-metadata-request",
  "x-aws-ec2-metadata-token",
  "x-aws-ec2-metadata-token-ttl-seconds",
]);
const DENIED_PREFIX = /^(?:proxy-|x-forwarded-|sec-)/;

/**
 * Decides the headers of a request; the value has names in lower case. A plugin's `accept-encoding`
 * is left out: the broker decodes, so it says what it can decode.
 */
export function decideHeaders(
  raw: readonly (readonly [string, string])[],
): Decision<readonly (readonly [string, string])[]> {
  if (raw.length > MAX_REQUEST_HEADERS) return denied(`more than ${MAX_REQUEST_HEADERS} headers`);
  const sent: (readonly [string, string])[] = [];
  let bytes = 0;
  for (const [rawName, value] of raw) {
    if (typeof rawName !== "string" || !NAME.test(rawName))
      return denied(`the name ${received(rawName)} is not a token`);
    const name = rawName.toLowerCase();
    if (DENIED.has(name) || DENIED_PREFIX.test(name)) return denied(`${name} is reserved`);
    if (typeof value !== "string" || !VALUE.test(value))
      return denied(`the value of ${name} holds a forbidden character`);
    bytes += name.length + value.length + 4;
    if (bytes > MAX_REQUEST_HEAD_BYTES)
      return denied(`more than ${MAX_REQUEST_HEAD_BYTES} bytes of headers`);
    if (name !== "accept-encoding") sent.push([name, value]);
  }
  return allow(RULE, sent);
}

function denied(reason: string): Decision<never> {
  return refuse("BROKER_HEADER", RULE, reason);
}
