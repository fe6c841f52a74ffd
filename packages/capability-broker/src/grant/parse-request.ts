/**
 * @module A plugin's request or an operator's approval in parsed form. Every value is untrusted: what
 * is malformed refuses the whole, so that a typing mistake never widens anything.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { FileRight } from "@glovebox/core/ports";

import { DEFAULT_NETWORK_LIMITS, MAX_LIST_ENTRIES, MAX_PATTERNS } from "../limits.ts";
import type { Cidr } from "../target/address.ts";
import { parseGuestFolder } from "../target/guest-path.ts";
import {
  DEFAULT_ENDPOINTS,
  type Endpoint,
  type HostPattern,
  parseHostPattern,
} from "../target/host-pattern.ts";
import { isPathPrefix } from "../target/url-path.ts";
import { type Capabilities, meet } from "./field-table.ts";
import type { NetworkLimits } from "./grant.ts";
import type { HostEntry } from "./host-set.ts";
import type { PathEntry } from "./path-set.ts";
import type { CapabilityRequest, RootPolicy } from "./policy.ts";

const RULE = "grant.request";
const READ_RIGHTS: readonly FileRight[] = ["read", "stat", "list"];
const WRITE_RIGHTS: readonly FileRight[] = [
  "write",
  "create",
  "append",
  "truncate",
  "delete",
  "rename",
  "mkdir",
];
/** Every right; setting times and links are only had by name. */
export const RIGHTS: readonly FileRight[] = [...READ_RIGHTS, ...WRITE_RIGHTS, "setTimes", "link"];
const METHOD = /^(?!CONNECT$|TRACE$)[A-Z]{1,20}$/;
const PIN = /^[A-Za-z0-9+/]{43}=$/;
/** How a secret may be called. */
export const SECRET_NAME = /^[A-Za-z0-9._-]{1,64}$/;
/** Every public host, which no pattern can express. */
export const ANY_PUBLIC: HostPattern = { kind: "any-public", host: "" };
/** Limits that a side says nothing about. */
export const NO_LIMITS = Object.freeze(
  Object.fromEntries(Object.keys(DEFAULT_NETWORK_LIMITS).map((name) => [name, undefined])),
) as { readonly [Limit in keyof NetworkLimits]: undefined };

/** Lists of short texts that a request and a policy share, and what each entry must look like. */
const LISTS = {
  methods: (text: string) => METHOD.test(text),
  pathPrefixes: isPathPrefix,
  spkiPins: (text: string) => PIN.test(text),
  secrets: (text: string) => SECRET_NAME.test(text),
} as const;

/** The first list that is malformed, in words; `undefined` = none. */
export function problemOfLists(network: object = {}): string | undefined {
  for (const [name, isValid] of Object.entries(LISTS)) {
    const list: unknown = Reflect.get(network, name);
    if (list === undefined) continue;
    if (!Array.isArray(list) || list.length > MAX_LIST_ENTRIES)
      return `${name}: expected a list of at most ${MAX_LIST_ENTRIES}`;
    // No pin at all would be no bound, not a bound that nothing meets.
    if (name === "spkiPins" && list.length === 0) return "spkiPins: expected at least one";
    const wrong: unknown = list.find((text) => typeof text !== "string" || !isValid(text));
    if (wrong !== undefined) return `${name}: ${received(wrong)} is not valid there`;
  }
  return undefined;
}

/** A request or an approval; private addresses pass only in the ranges that the policy names. */
export function parseRequest(
  request: CapabilityRequest,
  privateCidrs: readonly Cidr[],
): Decision<Capabilities> {
  const { network, filesystem, resources } = request;
  const hosts: HostEntry[] = [];
  const rawHosts = network?.allowedHosts ?? [];
  const rawPaths = filesystem?.allowedPaths ?? [];
  if (rawHosts.length > MAX_PATTERNS || rawPaths.length > MAX_LIST_ENTRIES)
    return refused(`more than ${MAX_PATTERNS} hosts or ${MAX_LIST_ENTRIES} paths`);
  for (const raw of rawHosts) {
    const parsed = parseHostPattern(raw, privateCidrs);
    if (!parsed.allowed) return parsed;
    const endpoints = endpointsOf(parsed.value.port, network?.ports);
    hosts.push({ pattern: parsed.value.pattern, endpoints });
  }
  if (network?.anyPublicHost === true)
    hosts.push({ pattern: ANY_PUBLIC, endpoints: endpointsOf(undefined, network.ports) });
  const problem = problemOfLists(network) ?? problemOfNumbers(network?.limits, resources);
  if (problem !== undefined) return refused(problem);
  const paths: PathEntry[] = [];
  const rights = rightsOf(filesystem);
  if (rights === undefined) return refused(`rights: expected some of ${RIGHTS.join(", ")}`);
  for (const raw of rawPaths) {
    const guest = parseGuestFolder(raw);
    if (!guest.allowed) return refused(`allowedPaths: ${guest.reason}`);
    paths.push({ guest: guest.value, rights });
  }
  const { methods, pathPrefixes, spkiPins, secrets = [], limits } = network ?? {};
  return allow(
    RULE,
    normal({
      ...NO_LIMITS,
      ...limits,
      httpOutbound: network?.allowHttpOutbound === true,
      hosts,
      methods,
      pathPrefixes,
      pins: spkiPins === undefined ? [] : [spkiPins],
      secrets,
      paths,
      ...maximaOf(resources),
      ...NO_TERMS,
    }),
  );
}

/** The same without repetitions and in one order: what has met itself does not change any more. */
export function normal(capabilities: Capabilities): Capabilities {
  return meet(capabilities, capabilities);
}

/** Terms that a side says nothing about. */
export const NO_TERMS = Object.freeze({
  quotaRequests: undefined,
  quotaSentBytes: undefined,
  quotaReceivedBytes: undefined,
  expiresAtMs: undefined,
});

/** Schemes and ports of a pattern: its own port, else the list, else the schemes' own. */
export function endpointsOf(
  port: number | undefined,
  ports: readonly number[] | undefined,
): readonly Endpoint[] {
  const numbers = port === undefined ? ports : [port];
  if (numbers === undefined) return DEFAULT_ENDPOINTS;
  return numbers.flatMap((number): Endpoint[] => [`https:${number}`, `http:${number}`]);
}

/** The rights that are named, else those of the two words of a manifest; `undefined` = one is none. */
export function rightsOf(
  from: CapabilityRequest["filesystem"] | RootPolicy,
): readonly FileRight[] | undefined {
  const named = from?.rights;
  if (named === undefined)
    return [
      ...(from?.allowRead === true ? READ_RIGHTS : []),
      ...(from?.allowWrite === true ? WRITE_RIGHTS : []),
    ];
  const isList = Array.isArray(named) && named.every((right) => RIGHTS.includes(right));
  return isList ? [...new Set(named)] : undefined;
}

/** The three maxima, each set or not. */
export function maximaOf(
  resources: CapabilityRequest["resources"],
): Pick<Capabilities, "maxMemoryBytes" | "maxCpuTimeMs" | "maxInstructions"> {
  return {
    maxMemoryBytes: resources?.maxMemoryBytes,
    maxCpuTimeMs: resources?.maxCpuTimeMs,
    maxInstructions: resources?.maxInstructions,
  };
}

function problemOfNumbers(limits: object = {}, resources: object = {}): string | undefined {
  for (const [name, value] of Object.entries(resources)) {
    if (value !== undefined && !(Number.isFinite(value) && Number(value) >= 0))
      return `resources.${name}: expected a number from 0, received ${received(value)}`;
  }
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_NETWORK_LIMITS, name)) return `limits.${name} is no limit`;
    if (!Number.isSafeInteger(value) || Number(value) < 0)
      return `limits.${name}: expected a whole number from 0, received ${received(value)}`;
  }
  return undefined;
}

function refused(reason: string): Decision<never> {
  return refuse("BROKER_REQUEST", RULE, reason);
}
