/**
 * @module The effective grant: manifest ∩ policy ∩ approval, pure. Everything that was asked for and
 * is not in the result is named, so that a person sees why a plugin is refused later.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { FileRight } from "@glovebox/core/ports";

import {
  DEFAULT_FILE_TOTALS,
  DEFAULT_NETWORK_LIMITS,
  DEFAULT_ROOT_LIMITS,
  MAX_PATTERNS,
} from "../limits.ts";
import type { Cidr } from "../target/address.ts";
import { parseGuestFolder } from "../target/guest-path.ts";
import {
  DEFAULT_ENDPOINTS,
  type Endpoint,
  type HostPattern,
  parseHostPattern,
  patternText,
} from "../target/host-pattern.ts";
import { type Capabilities, type PathEntry, meet, pathContains } from "./field-table.ts";
import {
  type EffectiveGrant,
  type FilesystemGrant,
  type HostEntry,
  type NetworkGrant,
  mint,
} from "./grant.ts";
import {
  type CapabilityRequest,
  type HostPolicy,
  type NetworkPolicy,
  policyCidrs,
  policyError,
  policyNumbers,
} from "./policy.ts";

const RULE = "grant.effective";
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
const DEFAULT_METHODS: readonly string[] = ["GET", "HEAD", "POST"];
const ANY_PUBLIC: HostPattern = { kind: "any-public", host: "" };

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
  const privateCidrs = policyCidrs("network.privateCidrs", policy.network?.privateCidrs);
  const allowed = policyCapabilities(policy, privateCidrs);
  const asked = requestCapabilities(request, privateCidrs);
  if (!asked.allowed) return asked;
  const confirmed = approval === undefined ? asked : requestCapabilities(approval, privateCidrs);
  if (!confirmed.allowed) return confirmed;
  const effective = meet(meet(asked.value, confirmed.value), allowed);
  const network = networkGrant(effective, policy, privateCidrs);
  const filesystem = filesystemGrant(effective, policy);
  const { maxMemoryBytes, maxCpuTimeMs, maxInstructions } = effective;
  return allow(
    RULE,
    mint<EffectiveGrant>({
      ...(network === undefined ? {} : { network }),
      ...(filesystem === undefined ? {} : { filesystem }),
      resources: {
        ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
        ...(maxCpuTimeMs === undefined ? {} : { maxCpuTimeMs }),
        ...(maxInstructions === undefined ? {} : { maxInstructions }),
      },
      withheld: withheldOf(asked.value, effective),
    }),
  );
}

function requestCapabilities(
  request: CapabilityRequest,
  privateCidrs: readonly Cidr[],
): Decision<Capabilities> {
  const { network, filesystem, resources } = request;
  const hosts: HostEntry[] = [];
  const rawHosts = network?.allowedHosts ?? [];
  const rawPaths = filesystem?.allowedPaths ?? [];
  if (rawHosts.length > MAX_PATTERNS || rawPaths.length > MAX_PATTERNS) {
    return refuse("BROKER_REQUEST", RULE, `more than ${MAX_PATTERNS} hosts or paths`);
  }
  for (const raw of rawHosts) {
    const parsed = parseHostPattern(raw, privateCidrs);
    if (!parsed.allowed) return parsed;
    hosts.push({
      pattern: parsed.value.pattern,
      endpoints: endpointsOf(parsed.value.port, network?.ports),
    });
  }
  if (network?.anyPublicHost === true)
    hosts.push({ pattern: ANY_PUBLIC, endpoints: endpointsOf(undefined, network.ports) });
  const paths: PathEntry[] = [];
  const rights = rightsOf(filesystem?.allowRead === true, filesystem?.allowWrite === true);
  for (const raw of rawPaths) {
    const guest = parseGuestFolder(raw);
    if (!guest.allowed) return refuse("BROKER_REQUEST", RULE, `allowedPaths: ${guest.reason}`);
    paths.push({ guest: guest.value, rights });
  }
  for (const [name, value] of Object.entries(resources ?? {})) {
    if (value !== undefined && (!Number.isFinite(value) || value < 0)) {
      return refuse(
        "BROKER_REQUEST",
        RULE,
        `resources.${name}: expected a number from 0, received ${received(value)}`,
      );
    }
  }
  return allow(RULE, {
    httpOutbound: network?.allowHttpOutbound === true,
    hosts,
    paths,
    ...maximaOf(resources),
  });
}

function policyCapabilities(policy: HostPolicy, privateCidrs: readonly Cidr[]): Capabilities {
  const { network, filesystem } = policy;
  for (const [name, value] of Object.entries(policy.resources ?? {})) {
    if (value !== undefined && !(value >= 0))
      throw policyError(`resources.${name}`, "expected a number from 0");
  }
  const roots = filesystem?.roots ?? [];
  if ((network?.allowedHosts.length ?? 0) > MAX_PATTERNS || roots.length > MAX_PATTERNS) {
    throw policyError("network.allowedHosts, filesystem.roots", `at most ${MAX_PATTERNS}`);
  }
  const insecure = network?.allowInsecureHttp === true;
  const granted = (port?: number): readonly Endpoint[] =>
    endpointsOf(port, network?.ports).filter(
      (endpoint) => insecure || endpoint.startsWith("https:"),
    );
  const hosts = (network?.allowedHosts ?? []).map((raw): HostEntry => {
    const parsed = parseHostPattern(raw, privateCidrs);
    if (!parsed.allowed) throw policyError("network.allowedHosts", parsed.reason);
    return { pattern: parsed.value.pattern, endpoints: granted(parsed.value.port) };
  });
  if (network?.anyPublicHost === true) hosts.push({ pattern: ANY_PUBLIC, endpoints: granted() });
  const paths = roots.map((root): PathEntry => {
    const guest = parseGuestFolder(root.guest);
    if (!guest.allowed) throw policyError("filesystem.roots.guest", guest.reason);
    if (!/^\/(?!(?:proc|dev|sys)(?:\/|$))/.test(root.host) || root.host.includes("\0")) {
      throw policyError(
        "filesystem.roots.host",
        `${root.host} is not an absolute directory outside /proc, /dev and /sys`,
      );
    }
    const { extensions = "*" } = root;
    if (extensions !== "*" && extensions.some((extension) => !/^\.[^./\\]+$/.test(extension))) {
      throw policyError("filesystem.roots.extensions", "expected extensions such as .json");
    }
    return {
      guest: guest.value,
      rights: rightsOf(root.allowRead, root.allowWrite),
      root: {
        guest: guest.value,
        host: root.host,
        extensions:
          extensions === "*" ? "*" : extensions.map((extension) => extension.toLowerCase()),
        ...policyNumbers("filesystem.roots", DEFAULT_ROOT_LIMITS, root),
      },
    };
  });
  return {
    httpOutbound: network?.allowHttpOutbound === true,
    hosts,
    paths,
    ...maximaOf(policy.resources),
  };
}

/** The policy's part is checked also where nothing is granted, so that a mistake shows at start. */
function networkGrant(
  effective: Capabilities,
  policy: HostPolicy,
  privateCidrs: readonly Cidr[],
): NetworkGrant | undefined {
  const {
    methods = DEFAULT_METHODS,
    certificateAuthorities,
    limits = {},
  }: Partial<NetworkPolicy> = policy.network ?? {};
  if (methods.some((method) => !/^(?!CONNECT$|TRACE$)[A-Z]{1,20}$/.test(method))) {
    throw policyError("network.methods", "expected upper-case methods without CONNECT and TRACE");
  }
  const grant: NetworkGrant = {
    hosts: effective.hosts,
    methods: [...methods],
    privateCidrs,
    denyCidrs: policyCidrs("denyCidrs", policy.denyCidrs),
    ...(certificateAuthorities === undefined
      ? {}
      : { certificateAuthorities: [...certificateAuthorities] }),
    limits: policyNumbers("network.limits", DEFAULT_NETWORK_LIMITS, limits),
  };
  return effective.httpOutbound && effective.hosts.length > 0 ? mint(grant) : undefined;
}

function filesystemGrant(effective: Capabilities, policy: HostPolicy): FilesystemGrant | undefined {
  const totals = policyNumbers(
    "filesystem.totals",
    DEFAULT_FILE_TOTALS,
    policy.filesystem?.totals ?? {},
  );
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
  // Longest guest prefix first: that one decides for a path.
  folders.sort((left, right) => right.guest.length - left.guest.length);
  return mint<FilesystemGrant>({ folders, totals });
}

function withheldOf(asked: Capabilities, effective: Capabilities): readonly string[] {
  const withheld: string[] = [];
  if (asked.httpOutbound && !effective.httpOutbound) withheld.push("may not send HTTP requests");
  for (const { pattern } of effective.httpOutbound ? asked.hosts : []) {
    const kept = effective.hosts.some(
      (entry) => patternText(entry.pattern) === patternText(pattern),
    );
    if (!kept) withheld.push(`may not reach all of ${patternText(pattern)}`);
  }
  for (const { guest, rights } of asked.paths) {
    const kept = effective.paths.find((entry) => pathContains(entry.guest, guest));
    const missing = rights.filter((right) => kept?.rights.includes(right) !== true);
    if (missing.length > 0) withheld.push(`may not ${missing.join(", ")} in ${guest}`);
  }
  return withheld;
}

function endpointsOf(
  port: number | undefined,
  ports: readonly number[] | undefined,
): readonly Endpoint[] {
  const numbers = port === undefined ? ports : [port];
  if (numbers === undefined) return DEFAULT_ENDPOINTS;
  return numbers.flatMap((number): Endpoint[] => [`https:${number}`, `http:${number}`]);
}

function rightsOf(read: boolean, write: boolean): readonly FileRight[] {
  return [...(read ? READ_RIGHTS : []), ...(write ? WRITE_RIGHTS : [])];
}

function maximaOf(
  resources: CapabilityRequest["resources"],
): Pick<Capabilities, "maxMemoryBytes" | "maxCpuTimeMs" | "maxInstructions"> {
  return {
    maxMemoryBytes: resources?.maxMemoryBytes,
    maxCpuTimeMs: resources?.maxCpuTimeMs,
    maxInstructions: resources?.maxInstructions,
  };
}
