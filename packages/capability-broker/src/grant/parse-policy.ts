/**
 * @module The host's policy in parsed form: the side of the meet, and what only a host can say
 * (ranges, authorities, host folders). A malformed policy is the programmer's error and throws.
 */
import {
  DEFAULT_FILE_TOTALS,
  DEFAULT_NETWORK_LIMITS,
  DEFAULT_ROOT_LIMITS,
  MAX_LIST_ENTRIES,
  MAX_PATTERNS,
} from "../limits.ts";
import type { Cidr } from "../target/address.ts";
import { parseGuestFolder } from "../target/guest-path.ts";
import { type Endpoint, parseHostPattern } from "../target/host-pattern.ts";
import { parseStrictUrl } from "../target/strict-url.ts";
import { isPathPrefix } from "../target/url-path.ts";
import type { Capabilities } from "./field-table.ts";
import { policyHost, policyNames } from "./file-policy.ts";
import type { FileTotals, SecretRule } from "./grant.ts";
import type { HostEntry } from "./host-set.ts";
import {
  ANY_PUBLIC,
  endpointsOf,
  maximaOf,
  NO_TERMS,
  normal,
  problemOfLists,
  RIGHTS,
  rightsOf,
  SECRET_NAME,
} from "./parse-request.ts";
import type { PathEntry } from "./path-set.ts";
import {
  type HostPolicy,
  type NetworkPolicy,
  policyCidrs,
  policyError,
  policyNumbers,
  type RootPolicy,
  type SecretPolicy,
} from "./policy.ts";

/** What neither a request nor an approval can say. */
export interface HostSide {
  readonly privateCidrs: readonly Cidr[];
  readonly privateHosts: readonly HostEntry[];
  readonly denyCidrs: readonly Cidr[];
  readonly certificateAuthorities?: readonly string[];
  readonly revocationLists?: readonly string[];
  readonly secrets: readonly SecretRule[];
  readonly totals: FileTotals;
}

/** A policy as a side of the meet and as the host's own part. */
export interface ParsedPolicy {
  readonly capabilities: Capabilities;
  readonly host: HostSide;
}

const DEFAULT_METHODS: readonly string[] = ["GET", "HEAD", "POST"];
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/;
// What frames a request or names its target is not a place for a secret.
const NOT_A_SECRETS_HEADER =
  /^(?:host|connection|te|trailer|transfer-encoding|content-length|upgrade|expect|accept-encoding|proxy-.*)$/;

/**
 * Parses a policy.
 *
 * @throws {@link BrokerError} (`BROKER_POLICY`)
 */
export function parsePolicy(policy: HostPolicy): ParsedPolicy {
  const { network, filesystem } = policy;
  const privateCidrs = policyCidrs("network.privateCidrs", network?.privateCidrs);
  for (const [name, value] of Object.entries(policy.resources ?? {})) {
    if (value !== undefined && !(value >= 0))
      throw policyError(`resources.${name}`, "expected a number from 0");
  }
  const roots = filesystem?.roots ?? [];
  // From JSON or JavaScript, which no compiler has read.
  if (network !== undefined && !Array.isArray(network.allowedHosts))
    throw policyError("network.allowedHosts", "expected a list of hosts; [] is none");
  if ((network?.allowedHosts.length ?? 0) > MAX_PATTERNS || roots.length > MAX_LIST_ENTRIES)
    throw policyError(
      "network.allowedHosts, filesystem.roots",
      `at most ${MAX_PATTERNS} and ${MAX_LIST_ENTRIES}`,
    );
  const { secrets: rawSecrets = [], ...lists }: Partial<NetworkPolicy> = network ?? {};
  const problem = problemOfLists(lists);
  if (problem !== undefined) throw policyError("network", problem);
  const secrets = rawSecrets.map(parseSecret);
  const { methods = DEFAULT_METHODS, pathPrefixes, spkiPins, limits = {} } = lists;
  const named = namedHosts(network, privateCidrs);
  return {
    capabilities: normal({
      ...policyNumbers("network.limits", DEFAULT_NETWORK_LIMITS, limits),
      httpOutbound: network?.allowHttpOutbound === true,
      hosts: network?.anyPublicHost === true ? [...named, anyPublicOf(network)] : named,
      methods: [...methods],
      pathPrefixes,
      pins: spkiPins === undefined ? [] : [spkiPins],
      secrets: secrets.map(({ name }) => name),
      paths: roots.map(pathEntryOf),
      ...maximaOf(policy.resources),
      ...NO_TERMS,
    }),
    host: {
      privateCidrs,
      privateHosts: named,
      denyCidrs: policyCidrs("denyCidrs", policy.denyCidrs),
      ...pemLists(network),
      secrets,
      totals: policyNumbers("filesystem.totals", DEFAULT_FILE_TOTALS, filesystem?.totals ?? {}),
    },
  };
}

function namedHosts(
  network: NetworkPolicy | undefined,
  privateCidrs: readonly Cidr[],
): readonly HostEntry[] {
  return (network?.allowedHosts ?? []).map((raw): HostEntry => {
    const parsed = parseHostPattern(raw, privateCidrs);
    if (!parsed.allowed) throw policyError("network.allowedHosts", parsed.reason);
    return { pattern: parsed.value.pattern, endpoints: grantedAt(network, parsed.value.port) };
  });
}

function anyPublicOf(network: NetworkPolicy): HostEntry {
  return { pattern: ANY_PUBLIC, endpoints: grantedAt(network) };
}

function grantedAt(network: NetworkPolicy | undefined, port?: number): readonly Endpoint[] {
  const insecure = network?.allowInsecureHttp === true;
  return endpointsOf(port, network?.ports).filter(
    (endpoint) => insecure || endpoint.startsWith("https:"),
  );
}

function pemLists(
  network: NetworkPolicy | undefined,
): Pick<HostSide, "certificateAuthorities" | "revocationLists"> {
  const { certificateAuthorities, revocationLists } = network ?? {};
  return {
    ...(certificateAuthorities === undefined
      ? {}
      : { certificateAuthorities: [...certificateAuthorities] }),
    ...(revocationLists === undefined ? {} : { revocationLists: [...revocationLists] }),
  };
}

function parseSecret(secret: SecretPolicy): SecretRule {
  const field = "network.secrets";
  const { name, template, methods, pathPrefix } = secret;
  const header = secret.header.toLowerCase();
  const origin = parseStrictUrl(`${secret.origin}/`);
  if (!SECRET_NAME.test(name)) throw policyError(field, `${name} is not a name`);
  if (!origin.allowed || origin.value.path !== "/")
    throw policyError(field, `${secret.origin} is not an origin`);
  if (!TOKEN.test(header) || NOT_A_SECRETS_HEADER.test(header))
    throw policyError(field, `${header} is not a header that may hold a secret`);
  if (template.split(`{{secret:${name}}}`).length !== 2 || !/^[\u0020-\u007e]*$/.test(template))
    throw policyError(field, `the template of ${name} must hold {{secret:${name}}} once`);
  const problem = problemOfLists({ methods });
  if (problem !== undefined) throw policyError(field, problem);
  if (pathPrefix !== undefined && !isPathPrefix(pathPrefix))
    throw policyError(field, `${pathPrefix} is not a path`);
  const { scheme, host, port } = origin.value;
  return {
    name,
    origin: `${scheme}://${host.name}:${port}`,
    header,
    template,
    ...(methods === undefined ? {} : { methods }),
    ...(pathPrefix === undefined ? {} : { pathPrefix }),
  };
}

function pathEntryOf(root: RootPolicy): PathEntry {
  const guest = parseGuestFolder(root.guest);
  if (!guest.allowed) throw policyError("filesystem.roots.guest", guest.reason);
  const rights = rightsOf(root);
  if (rights === undefined)
    throw policyError("filesystem.roots.rights", `expected some of ${RIGHTS.join(", ")}`);
  return {
    guest: guest.value,
    rights,
    root: {
      guest: guest.value,
      host: policyHost(root.host),
      extensions: policyNames("filesystem.roots.extensions", root.extensions),
      allowHidden: root.allowHidden === true,
      ...policyNumbers("filesystem.roots", DEFAULT_ROOT_LIMITS, root),
    },
  };
}
