/**
 * @module Raw URLs, read so strictly that no other parser can disagree about where they lead: every
 * known parser confusion (backslashes, tabs, user information, missing slashes, encoded separators)
 * is refused as text before the WHATWG parser sees it. RFC 3986 section 3, WHATWG URL; broker rule 1.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_URL_CHARACTERS } from "../limits.ts";
import { type Host, isPlainName, parseUrlHost } from "./host-name.ts";

/** A URL with one meaning; only {@link parseStrictUrl} makes them. */
export class StrictUrl {
  readonly scheme: "http" | "https";
  readonly host: Host;
  readonly port: number;
  /** Scheme and port as one number, for look-ups. */
  readonly endpoint: number;
  readonly #url: URL;

  /** Made by parsing. */
  constructor(scheme: "http" | "https", host: Host, port: number, url: URL) {
    this.scheme = scheme;
    this.host = host;
    this.port = port;
    this.endpoint = endpointNumber(scheme, port);
    this.#url = url;
  }

  /** Path and query as they are sent. */
  get path(): string {
    return this.#url.pathname + this.#url.search;
  }

  /** Canonical, without fragment. */
  get href(): string {
    return this.#url.href;
  }
}

/** Scheme and port as one number. */
export function endpointNumber(scheme: string, port: number): number {
  return scheme === "https" ? port : -port;
}

const RULE = "network.url";
// C0, space, DEL, C1 and every other white space; a backslash is a slash to some parsers.
// oxlint-disable-next-line no-control-regex -- control characters are what is refused
const FORBIDDEN = /[\u0000-\u0020\u007f-\u009f\\\s]/;
const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(?=[/?#]|$)/i;
const AUTHORITY = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/;
const PORT = /^[1-9]\d{0,4}$/;

/** Parses a URL as a plugin wrote it. */
export function parseStrictUrl(raw: unknown): Decision<StrictUrl> {
  return parsePlain(raw) ?? parseAny(raw);
}

/**
 * The usual case (hot: bench broker): lower-case scheme, printable ASCII, a plain name as the whole
 * authority. Whatever is not that, or special in any way, is left to the general rules.
 */
function parsePlain(raw: unknown): Decision<StrictUrl> | undefined {
  if (typeof raw !== "string" || raw.length > MAX_URL_CHARACTERS) return undefined;
  const isSecure = raw.startsWith("https://");
  if (!isSecure && !raw.startsWith("http://")) return undefined;
  const start = isSecure ? 8 : 7;
  let end = -1;
  for (let at = start; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x5c) return undefined;
    if (end < 0 && (code === 0x2f || code === 0x3f || code === 0x23)) end = at;
  }
  const authority = raw.slice(start, end < 0 ? undefined : end);
  if (!isPlainName(authority)) return undefined;
  const url = URL.parse(raw);
  if (url?.hostname !== authority) return undefined;
  if (raw.includes("#")) url.hash = "";
  const scheme = isSecure ? "https" : "http";
  const host = { kind: "name", name: authority } as const;
  return allow(RULE, new StrictUrl(scheme, host, isSecure ? 443 : 80, url));
}

function parseAny(raw: unknown): Decision<StrictUrl> {
  if (typeof raw !== "string" || raw.length > MAX_URL_CHARACTERS) {
    return refused(raw, `a string of at most ${MAX_URL_CHARACTERS} characters`);
  }
  if (FORBIDDEN.test(raw) || !raw.isWellFormed()) {
    return refused(raw, "without control characters, white space, backslashes and lone surrogates");
  }
  const [, rawScheme = "", authority = ""] = SHAPE.exec(raw) ?? [];
  if (rawScheme === "") return refused(raw, "of the form scheme://host");
  const scheme = rawScheme.toLowerCase();
  if (scheme !== "https" && scheme !== "http") {
    return refuse(
      "BROKER_URL_SCHEME",
      "network.scheme",
      `${received(scheme)} is not https or http`,
    );
  }
  if (/[@%]/.test(authority)) return refused(raw, "without `@` and `%` before the path");
  const [, rawHost = "", rawPort] = AUTHORITY.exec(authority) ?? [];
  if (rawHost === "") return refused(raw, "with a host");
  if (rawPort !== undefined && (!PORT.test(rawPort) || Number(rawPort) > 65_535)) {
    return refused(raw, "with a port from 1 to 65535");
  }
  const url = URL.parse(raw);
  if (url === null) return refused(raw, "a valid URL");
  const host = parseUrlHost(rawHost, url.hostname);
  if (!host.allowed) return host;
  const port = rawPort === undefined ? (scheme === "https" ? 443 : 80) : Number(rawPort);
  if (raw.includes("#")) url.hash = "";
  return allow(RULE, new StrictUrl(scheme, host.value, port, url));
}

function refused(raw: unknown, expected: string): Decision<never> {
  return refuse("BROKER_URL_SYNTAX", RULE, `a URL must be ${expected}; received ${received(raw)}`);
}
