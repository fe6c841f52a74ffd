/**
 * @module Host patterns of grants: an exact host or a leading `*.`, optionally with a port. No glob,
 * brace or class syntax exists here on purpose: the suffix check of the first specification let
 * `eviltrusted.com` pass for `*.trusted.com`. Nor is a
 * star put over a public suffix, whose names belong to everybody. Broker rule 5; publicsuffix.org.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { getPublicSuffix } from "tldts";

import { type Cidr, cidrContains, isPublicAddress } from "./address.ts";
import { parseAsciiHost } from "./host-name.ts";

/** What a grant names as reachable. `any-public` cannot be written as a pattern. */
export type HostPattern =
  | { readonly kind: "exact" | "suffix" | "address"; readonly host: string }
  | { readonly kind: "any-public"; readonly host: "" };

/** A scheme and port, such as `https:443`. */
export type Endpoint = `${"http" | "https"}:${number}`;

/** The schemes' own ports. */
export const DEFAULT_ENDPOINTS: readonly Endpoint[] = Object.freeze(["https:443", "http:80"]);

const RULE = "network.pattern";
const PATTERN = /^(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([1-9]\d{0,4}))?$/;

/** A parsed pattern with the port that was written in it. */
export interface ParsedPattern {
  readonly pattern: HostPattern;
  readonly port?: number;
}

/**
 * Parses a pattern of a manifest, approval or policy. Private literals pass only inside
 * `privateCidrs`.
 *
 * @example
 * ```ts
 * import { parseHostPattern } from "@glovebox/capability-broker/network";
 *
 * parseHostPattern("*.trusted.com").allowed; // true
 * parseHostPattern("*").allowed; // false
 * ```
 */
export function parseHostPattern(
  raw: unknown,
  privateCidrs: readonly Cidr[] = [],
): Decision<ParsedPattern> {
  const match = typeof raw === "string" ? PATTERN.exec(raw.toLowerCase()) : null;
  // Lower-casing maps KELVIN SIGN to k: patterns are written in ASCII.
  if (match === null || /[^\0-\u007f]/.test(String(raw))) {
    return rejected(raw, "an exact host or a leading `*.`, in ASCII, optionally with a port");
  }
  const [, star, text = "", portText] = match;
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && port > 65_535) return rejected(raw, "a port up to 65535");
  const host = parseAsciiHost(text);
  if (!host.allowed) return refuse("BROKER_PATTERN", RULE, `${received(raw)}: ${host.reason}`);
  if (host.value.kind === "name") {
    if (star !== undefined && getPublicSuffix(text, { allowPrivateDomains: true }) === text)
      return rejected(raw, "no wildcard over a public suffix");
    return allow(
      RULE,
      withPort({ kind: star === undefined ? "exact" : "suffix", host: text }, port),
    );
  }
  if (star !== undefined) return rejected(raw, "no wildcard before an address");
  const { address } = host.value;
  if (!isPublicAddress(address) && !privateCidrs.some((range) => cidrContains(range, address))) {
    return rejected(
      raw,
      "a public address, or a private one that the policy names in privateCidrs",
    );
  }
  // IPv6 has many spellings; the WHATWG serialisation is the one that URLs are compared in.
  return allow(RULE, withPort({ kind: "address", host: new URL(`http://${text}`).hostname }, port));
}

/** Whether everything that `inner` matches is matched by `outer`. */
export function patternContains(outer: HostPattern, inner: HostPattern): boolean {
  switch (outer.kind) {
    case "any-public":
      return inner.kind !== "address" || isPublicLiteral(inner.host);
    case "suffix":
      return (
        (inner.kind === "exact" && inner.host.endsWith(`.${outer.host}`)) ||
        (inner.kind === "suffix" &&
          (inner.host === outer.host || inner.host.endsWith(`.${outer.host}`)))
      );
    case "exact":
    case "address":
      return inner.kind === outer.kind && inner.host === outer.host;
    default:
      return outer satisfies never;
  }
}

/** A pattern as people write it. */
export function patternText(pattern: HostPattern): string {
  if (pattern.kind === "any-public") return "any public host";
  return pattern.kind === "suffix" ? `*.${pattern.host}` : pattern.host;
}

function isPublicLiteral(host: string): boolean {
  const parsed = parseAsciiHost(host);
  return parsed.allowed && parsed.value.kind === "address" && isPublicAddress(parsed.value.address);
}

function withPort(pattern: HostPattern, port: number | undefined): ParsedPattern {
  return port === undefined ? { pattern } : { pattern, port };
}

function rejected(raw: unknown, expected: string): Decision<never> {
  return refuse(
    "BROKER_PATTERN",
    RULE,
    `a host pattern must be ${expected}; received ${received(raw)}`,
  );
}
