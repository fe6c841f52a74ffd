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
import { parseStrictUrl } from "../target/strict-url.ts";
import { isWithinPrefix } from "../target/url-path.ts";
import { hostIndexOf } from "./host-index.ts";

/** Where a request goes, with one meaning. */
export interface ParsedTarget {
  readonly scheme: "http" | "https";
  readonly host: Host;
  readonly port: number;
  readonly path: string;
  readonly method: string;
  readonly href: string;
}

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
  const url = parseStrictUrl(rawUrl);
  if (!url.allowed) return url;
  const { scheme, host, port, path, href } = url.value;
  const endpoints = hostIndexOf(grant)(host);
  if (endpoints.size === 0) {
    return refuse(
      "BROKER_HOST_NOT_GRANTED",
      "network.hosts",
      `${received(host.name)} is not in the grant`,
    );
  }
  if (!endpoints.has(`${scheme}:${port}`)) {
    return [...endpoints].some((endpoint) => endpoint.startsWith(`${scheme}:`))
      ? refuse(
          "BROKER_PORT_NOT_GRANTED",
          "network.ports",
          `port ${port} of ${host.name} is not in the grant`,
        )
      : refuse("BROKER_URL_SCHEME", "network.scheme", `${scheme} is not granted for ${host.name}`);
  }
  if (host.kind === "address") {
    const address = decideAddress(grant, host.address, host.name, []);
    if (!address.allowed) return address;
  }
  if (grant.pathPrefixes?.some((prefix) => isWithinPrefix(path, prefix)) === false) {
    return refuse(
      "BROKER_PATH_PREFIX",
      "network.paths",
      `${received(path)} is not below a granted path`,
    );
  }
  const verb = decideMethod(grant, method);
  if (!verb.allowed) return verb;
  return allow(
    "network.hosts",
    Object.freeze({ scheme, host, port, path, method: verb.value, href }),
  );
}

/**
 * Decides a whole DNS answer: one address that may not be reached refuses all, for an attacker who
 * controls the zone would otherwise have us try again until the right one comes. `own` are the
 * host's own addresses, which beat every grant.
 */
export function decideAddresses(
  grant: NetworkGrant,
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
    const decided = decideAddress(grant, address, raw, own);
    if (!decided.allowed) return decided;
    texts.push(raw);
  }
  return allow("network.address", texts);
}

/** Decides one address: denied ranges and the host itself first, then public or granted. */
export function decideAddress(
  grant: NetworkGrant,
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
  return grant.privateCidrs.some((range) => cidrContains(range, address))
    ? allow("network.address.private", address)
    : denied("is not a public address");
}

function decideMethod(grant: NetworkGrant, raw: unknown): Decision<string> {
  if (typeof raw !== "string" || !TOKEN.test(raw)) {
    return refuse(
      "BROKER_METHOD",
      "network.methods",
      `the method must be a token; received ${received(raw)}`,
    );
  }
  const method = raw.toUpperCase();
  return grant.methods.includes(method)
    ? allow("network.methods", method)
    : refuse("BROKER_METHOD", "network.methods", `${received(method)} is not in the grant`);
}
