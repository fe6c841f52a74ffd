/**
 * @module The effective grant: manifest ∩ policy ∩ approval, pure; and what is attenuated from it.
 * Everything that was asked for and is not in the result is named, so that a person sees why a
 * plugin is refused later.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";

import { DEFAULT_NETWORK_LIMITS } from "../limits.ts";
import { patternText } from "../target/host-pattern.ts";
import { type Capabilities, meet, widerFields } from "./field-table.ts";
import {
  type EffectiveGrant,
  type FilesystemGrant,
  type NetworkGrant,
  type NetworkLimits,
  assertGenuine,
  mint,
} from "./grant.ts";
import { type HostSide, type ParsedPolicy, parsePolicy } from "./parse-policy.ts";
import { parseRequest } from "./parse-request.ts";
import { pathContains } from "./path-set.ts";
import type { CapabilityRequest, HostPolicy } from "./policy.ts";

const RULE = "grant.effective";

/** What stands behind a grant, for what is attenuated from it. */
interface Behind {
  readonly capabilities: Capabilities;
  readonly host: HostSide;
}

const behind = new WeakMap<object, Behind>();

/**
 * What the plugin may do. A malformed request or approval is refused; a malformed policy throws.
 *
 * @throws {@link BrokerError} (`BROKER_POLICY`)
 *
 * @example
 * ```ts
 * import { effectiveGrant } from "@glovebox/capability-broker";
 *
 * const network = { allowHttpOutbound: true, allowedHosts: ["api.example.com", "evil.test.example"] };
 * const decision = effectiveGrant({ network }, { network: { ...network, allowedHosts: ["*.example.com"] } });
 * ```
 */
export function effectiveGrant(
  request: CapabilityRequest,
  policy: HostPolicy,
  approval?: CapabilityRequest,
): Decision<EffectiveGrant> {
  return effectiveGrantOf(request, parsePolicy(policy), approval);
}

/** The same with a parsed policy. */
export function effectiveGrantOf(
  request: CapabilityRequest,
  { capabilities, host }: ParsedPolicy,
  approval?: CapabilityRequest,
): Decision<EffectiveGrant> {
  const asked = parseRequest(request, host.privateCidrs);
  if (!asked.allowed) return asked;
  const confirmed = approval === undefined ? asked : parseRequest(approval, host.privateCidrs);
  if (!confirmed.allowed) return confirmed;
  const effective = meet(meet(asked.value, confirmed.value), capabilities);
  return allow(RULE, minted(effective, host, withheldOf(asked.value, effective)));
}

/**
 * A grant with less: the request must lie within the parent, field by field, or nothing is made.
 * What the request leaves out stays as it is in the parent, but hosts, folders and secrets are only
 * those that it names, and plain http is none of them unless the parent reaches no https there.
 */
export function attenuatedGrant(
  parent: EffectiveGrant,
  request: CapabilityRequest,
): Decision<EffectiveGrant> {
  assertGenuine(parent);
  const above = behind.get(parent);
  if (above === undefined) return refuse("BROKER_GRANT_UNKNOWN", "grant.attenuate", "not a grant");
  const parsed = parseRequest(request, above.host.privateCidrs);
  if (!parsed.allowed) return parsed;
  const asked = filledFrom(above.capabilities, parsed.value, request);
  const wider = widerFields(above.capabilities, asked);
  if (wider.length > 0) {
    return refuse(
      "BROKER_ATTENUATION",
      "grant.attenuate",
      `goes beyond the parent in ${wider.join(", ")}`,
    );
  }
  return allow("grant.attenuate", minted(meet(above.capabilities, asked), above.host, []));
}

function filledFrom(
  parent: Capabilities,
  asked: Capabilities,
  request: CapabilityRequest,
): Capabilities {
  const said = Object.entries(asked).filter(([, value]) => value !== undefined);
  return {
    ...parent,
    ...(Object.fromEntries(said) as Partial<Capabilities> & typeof asked),
    // A parent's pins hold for the child, whatever it adds.
    pins: [...parent.pins, ...asked.pins],
    hosts: asked.hosts.map(({ pattern, endpoints }) => ({
      pattern,
      endpoints:
        request.network?.allowInsecureHttp === true
          ? endpoints
          : endpoints.filter((endpoint) => endpoint.startsWith("https:")),
    })),
  };
}

function minted(
  effective: Capabilities,
  host: HostSide,
  withheld: readonly string[],
): EffectiveGrant {
  const network = networkGrant(effective, host);
  const filesystem = filesystemGrant(effective, host);
  const { maxMemoryBytes, maxCpuTimeMs, maxInstructions } = effective;
  const grant = mint<EffectiveGrant>({
    ...(network === undefined ? {} : { network }),
    ...(filesystem === undefined ? {} : { filesystem }),
    resources: {
      ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
      ...(maxCpuTimeMs === undefined ? {} : { maxCpuTimeMs }),
      ...(maxInstructions === undefined ? {} : { maxInstructions }),
    },
    withheld,
  });
  behind.set(grant, { capabilities: effective, host });
  return grant;
}

/** Carries what stands behind a grant over to the set that a broker makes of it. */
export function standBehind(grant: EffectiveGrant, set: EffectiveGrant): void {
  const found = behind.get(grant);
  if (found !== undefined) behind.set(set, found);
}

function networkGrant(effective: Capabilities, host: HostSide): NetworkGrant | undefined {
  const { hosts, methods = [], pathPrefixes, pins, secrets } = effective;
  if (!effective.httpOutbound || hosts.length === 0) return undefined;
  const { totals: _totals, secrets: rules, ...ranges } = host;
  return mint<NetworkGrant>({
    hosts,
    methods,
    ...(pathPrefixes === undefined ? {} : { pathPrefixes }),
    pins,
    secrets: rules.filter(({ name }) => secrets.includes(name)),
    ...ranges,
    limits: limitsOf(effective),
  });
}

function limitsOf(effective: Capabilities): NetworkLimits {
  const names = Object.keys(DEFAULT_NETWORK_LIMITS) as readonly (keyof NetworkLimits)[];
  const limits = names.map((name) => [name, effective[name] ?? DEFAULT_NETWORK_LIMITS[name]]);
  return Object.fromEntries(limits) as NetworkLimits;
}

function filesystemGrant(effective: Capabilities, host: HostSide): FilesystemGrant | undefined {
  const folders = effective.paths.flatMap(({ guest, rights, root }) => {
    if (root === undefined) return [];
    const { guest: rootGuest, ...rest } = root;
    const below = guest
      .slice(rootGuest.length)
      .split("/")
      .filter((part) => part !== "");
    return [{ ...rest, guest, below, rights }];
  });
  if (folders.every((folder) => folder.rights.length === 0)) return undefined;
  return mint<FilesystemGrant>({ folders, totals: host.totals });
}

function withheldOf(asked: Capabilities, effective: Capabilities): readonly string[] {
  const withheld: string[] = [];
  if (asked.httpOutbound && !effective.httpOutbound) withheld.push("may not send HTTP requests");
  const kept = new Set(effective.hosts.map(({ pattern }) => patternText(pattern)));
  for (const { pattern } of effective.httpOutbound ? asked.hosts : []) {
    if (!kept.has(patternText(pattern)))
      withheld.push(`may not reach all of ${patternText(pattern)}`);
  }
  for (const { guest, rights } of asked.paths) {
    const speaker = effective.paths.find((entry) => pathContains(entry.guest, guest));
    const missing = rights.filter((right) => speaker?.rights.includes(right) !== true);
    if (missing.length > 0) withheld.push(`may not ${missing.join(", ")} in ${guest}`);
  }
  for (const name of asked.secrets) {
    if (!effective.secrets.includes(name)) withheld.push(`may not use the secret ${name}`);
  }
  return withheld;
}
