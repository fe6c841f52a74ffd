/**
 * @module Redirects as the broker follows them (RFC 9110 section 15.4): what the next request is, as
 * text that goes through every check again. Headers cross an origin by an allow-list, so that what a
 * plugin, or the broker for it, said to one server is not said to another.
 */
import type { ParsedTarget } from "./decide.ts";

/** The next request of an exchange. */
export interface NextRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly keepsBody: boolean;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const CROSSES_ORIGINS: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "cache-control",
  "content-language",
  "content-type",
  "user-agent",
]);
const DESCRIBES_BODY = /^content-/;
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:/i;

/** Where a response redirects to; `undefined` = it is no redirect. */
export function locationOf(
  status: number,
  headers: readonly (readonly [string, string])[],
): string | undefined {
  if (!REDIRECTS.has(status)) return undefined;
  return headers.find(([name]) => name === "location")?.[1];
}

/**
 * The request that a redirect asks for; `undefined` when its location has no single meaning. The
 * location is the server's, and as hostile as any URL.
 */
export function nextRequest(
  from: ParsedTarget,
  headers: readonly (readonly [string, string])[],
  status: number,
  location: string,
): NextRequest | undefined {
  const url = resolved(from, location);
  if (url === undefined) return undefined;
  const becomesGet =
    status === 303 ? from.method !== "HEAD" : status < 303 && from.method === "POST";
  const method = becomesGet ? "GET" : from.method;
  const isSameOrigin = URL.parse(url)?.origin === new URL(from.href).origin;
  return {
    url,
    method,
    headers: headers.filter(
      ([name]) =>
        (isSameOrigin || CROSSES_ORIGINS.has(name)) && !(becomesGet && DESCRIBES_BODY.test(name)),
    ),
    keepsBody: !becomesGet,
  };
}

function resolved(from: ParsedTarget, location: string): string | undefined {
  // An absolute location is judged as it stands: resolving it would mend what must be refused.
  if (ABSOLUTE.test(location)) return location;
  if (/[\\\s]/.test(location)) return undefined;
  if (location.startsWith("//")) return `${from.scheme}:${location}`;
  return URL.parse(location, from.href)?.href;
}
