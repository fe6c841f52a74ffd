/**
 * @module Whether a request may go out, as far as that can be said without looking anything up: pure
 * and synchronous, the cheapest refusal first. Addresses are decided when they are known, by
 * {@link decideAddresses}.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { type NetworkGrant, assertGenuine } from "../grant/grant.ts";
import { MAX_ANSWER_ADDRESSES } from "../limits.ts";
import {
  type Address,
  cidrContains,
  isPublicAddress,
  isSameAddress,
  parseAddress,
} from "../target/address.ts";
import type { Host } from "../target/host-name.ts";
import { parseStrictUrl, StrictUrl } from "../target/strict-url.ts";
import { isWithinPrefix } from "../target/url-path.ts";
import { hostIndexOf } from "./host-index.ts";

/** Where a request goes, with one meaning, as a grant allowed it. */
export class ParsedTarget {
  readonly scheme: "http" | "https";
  readonly host: Host;
  readonly port: number;
  readonly method: string;
  /** Scheme and port as one number, for look-ups. */
  readonly endpoint: number;
  readonly #url: StrictUrl;
  readonly #grant: NetworkGrant;

  /** Made by a decision. */
  constructor(grant: NetworkGrant, url: StrictUrl, method: string) {
    this.scheme = url.scheme;
    this.host = url.host;
    this.port = url.port;
    this.method = method;
    this.endpoint = url.endpoint;
    this.#url = url;
    this.#grant = grant;
  }

  /** Path and query as they are sent. */
  get path(): string {
    return this.#url.path;
  }

  /** Canonical, without fragment. */
  get href(): string {
    return this.#url.href;
  }

  /** Whether a value is a target that was decided for the grant; what looks like one is none. */
  static isFor(grant: NetworkGrant, value: unknown): boolean {
    return typeof value === "object" && value !== null && #grant in value && value.#grant === grant;
  }
}

/** A host, with scheme and port as one number. */
type Endpoint = Pick<StrictUrl, "host" | "endpoint">;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}$/;

/**
 * Decides a raw URL and method against a grant. Both are attacker-controlled.
 *
 * @throws {@link BrokerError} (`BROKER_GRANT_UNKNOWN`) when `grant` was not made by this package.
 *
 * @example
 * ```ts
 * import { effectiveGrant } from "@glovebox/capability-broker";
 * import { decideUrl } from "@glovebox/capability-broker/network";
 *
 * const network = { allowHttpOutbound: true, allowedHosts: ["*.trusted.com"] };
 * const grant = effectiveGrant({ network }, { network });
 * if (grant.allowed && grant.value.network !== undefined) {
 *   decideUrl(grant.value.network, "https://eviltrusted.com/", "GET").allowed; // false
 * }
 * ```
 */
export function decideUrl(
  grant: NetworkGrant,
  rawUrl: unknown,
  method: unknown,
): Decision<ParsedTarget> {
  assertGenuine(grant);
  return decideTarget(grant, rawUrl, method);
}

/** The same for a grant that is known to be genuine, and for URLs that are parsed already. */
export function decideTarget(
  grant: NetworkGrant,
  url: unknown,
  method: unknown,
): Decision<ParsedTarget> {
  if (url instanceof StrictUrl) return decideParsed(grant, url, method);
  const parsed = parseStrictUrl(url);
  return parsed.allowed ? decideParsed(grant, parsed.value, method) : parsed;
}

// Names are canonical here, so reasons quote them as they are: this runs for every request.
function decideParsed(
  grant: NetworkGrant,
  url: StrictUrl,
  method: unknown,
): Decision<ParsedTarget> {
  const { host } = url;
  const found = hostIndexOf(grant.hosts)(host, url.endpoint);
  if (found !== "granted") return refuseHost(found, url);
  if (host.kind === "address") {
    const address = decideAddress(grant, url, host.address, host.name, []);
    if (!address.allowed) return address;
  }
  if (grant.pathPrefixes?.some((prefix) => isWithinPrefix(url.path, prefix)) === false) {
    return refuse(
      "BROKER_PATH_PREFIX",
      "network.paths",
      `${received(url.path)} is not below a granted path`,
    );
  }
  const verb = decideMethod(grant, method);
  if (typeof verb !== "string") return verb;
  return { allowed: true, rule: "network.hosts", value: new ParsedTarget(grant, url, verb) };
}

function refuseHost(found: "scheme" | "port" | "none", url: StrictUrl): Decision<never> {
  const { scheme, host, port } = url;
  switch (found) {
    case "none": {
      const reason = `${host.name} is not in the grant`;
      return { allowed: false, code: "BROKER_HOST_NOT_GRANTED", rule: "network.hosts", reason };
    }
    case "port": {
      const reason = `port ${port} of ${host.name} is not in the grant`;
      return refuse("BROKER_PORT_NOT_GRANTED", "network.ports", reason);
    }
    case "scheme":
      return refuse(
        "BROKER_URL_SCHEME",
        "network.scheme",
        `${scheme} is not granted for ${host.name}`,
      );
    default:
      return found satisfies never;
  }
}

/**
 * Decides a whole DNS answer: one address that may not be reached refuses all, for an attacker who
 * controls the zone would otherwise have us try again until the right one comes. `own` are the
 * host's own addresses, which beat every grant.
 */
export function decideAddresses(
  grant: NetworkGrant,
  where: Endpoint,
  answer: readonly unknown[],
  own: readonly Address[],
): Decision<readonly string[]> {
  if (answer.length === 0 || answer.length > MAX_ANSWER_ADDRESSES) {
    return refuse("BROKER_RESOLVE", "network.answer", `an answer of ${answer.length} addresses`);
  }
  const texts: string[] = [];
  for (const raw of answer) {
    const address = typeof raw === "string" ? parseAddress(raw) : undefined;
    if (typeof raw !== "string" || address === undefined) {
      return refuse(
        "BROKER_ADDRESS_DENIED",
        "network.address",
        `the answer holds ${received(raw)}, which is no address`,
      );
    }
    const decided = decideAddress(grant, where, address, raw, own);
    if (!decided.allowed) return decided;
    texts.push(raw);
  }
  return allow("network.address", texts);
}

/** Decides one address: denied ranges and the host itself first, then public or granted. */
export function decideAddress(
  grant: NetworkGrant,
  { host, endpoint }: Endpoint,
  address: Address,
  text: string,
  own: readonly Address[],
): Decision<Address> {
  const denied = (why: string): Decision<never> =>
    refuse("BROKER_ADDRESS_DENIED", "network.address", `${received(text)} ${why}`);
  if (grant.denyCidrs.some((range) => cidrContains(range, address)))
    return denied("is in denyCidrs");
  if (own.some((mine) => isSameAddress(mine, address))) return denied("is the host itself");
  if (isPublicAddress(address)) return allow("network.address.public", address);
  if (!grant.privateCidrs.some((range) => cidrContains(range, address)))
    return denied("is not a public address");
  // Under a grant of every public host the plugin, or whoever owns a zone, would choose which one is private.
  return hostIndexOf(grant.privateHosts)(host, endpoint) === "granted"
    ? allow("network.address.private", address)
    : denied("is not a public address, and the policy does not name its host");
}

function decideMethod(grant: NetworkGrant, raw: unknown): string | Decision<never> {
  // Upper case and granted is the usual case, and nothing more has to be asked then.
  if (typeof raw === "string" && grant.methods.includes(raw)) return raw;
  if (typeof raw !== "string" || !TOKEN.test(raw)) {
    return refuse(
      "BROKER_METHOD",
      "network.methods",
      `the method must be a token; received ${received(raw)}`,
    );
  }
  const method = raw.toUpperCase();
  return grant.methods.includes(method)
    ? method
    : refuse("BROKER_METHOD", "network.methods", `${received(method)} is not in the grant`);
}
