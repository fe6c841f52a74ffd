/**
 * @module What people write: a plugin's request, an operator's approval, the host's policy. The
 * first two are untrusted and refused when malformed; a malformed policy is the programmer's error
 * and throws, so that a typing mistake never widens a grant.
 */
import type { FileRight } from "@glovebox/core/ports";

import { BrokerError } from "../errors.ts";
import { type Cidr, parseCidr } from "../target/address.ts";
import type { FileTotals, GrantQuota, NetworkLimits } from "./grant.ts";

/** What a manifest asks for, or an approval confirms (contract.md 1). */
export interface CapabilityRequest {
  readonly network?: {
    readonly allowHttpOutbound: boolean;
    /** Exact hosts or leading `*.`, optionally with a port. */
    readonly allowedHosts: readonly string[];
    /** Every public host, which no pattern can express. Default: false. */
    readonly anyPublicHost?: boolean;
    /** Ports of patterns without one. Default: the scheme's own. */
    readonly ports?: readonly number[];
    /** In an attenuation: plain http too, where the parent has it. Else the policy alone decides. */
    readonly allowInsecureHttp?: boolean;
    /** Methods, upper case. Default: those of the policy. */
    readonly methods?: readonly string[];
    /** Paths that are reached with everything below, such as `/v1`. Default: every path. */
    readonly pathPrefixes?: readonly string[];
    /** Base64 SHA-256 digests of public keys, of which a server must have one. Default: any key. */
    readonly spkiPins?: readonly string[];
    /** Names of secrets of the policy that may be inserted. Default: none. */
    readonly secrets?: readonly string[];
    /** Limits below those of the policy. */
    readonly limits?: Partial<NetworkLimits>;
  };
  readonly filesystem?: {
    readonly allowRead: boolean;
    readonly allowWrite: boolean;
    /** Guest folders. */
    readonly allowedPaths: readonly string[];
    /** Exactly these rights in each folder, in place of what the two booleans stand for. */
    readonly rights?: readonly FileRight[];
  };
  readonly resources?: {
    readonly maxMemoryBytes?: number;
    readonly maxCpuTimeMs?: number;
    readonly maxInstructions?: number;
  };
}

/** What the host allows over HTTP. */
export interface NetworkPolicy {
  /** Whether any request leaves at all. */
  readonly allowHttpOutbound: boolean;
  /** Exact hosts or leading `*.`, optionally with a port. */
  readonly allowedHosts: readonly string[];
  /** Loosening: every public host. Default: false. */
  readonly anyPublicHost?: boolean;
  /** Loosening: plain http besides https. Default: false. */
  readonly allowInsecureHttp?: boolean;
  /** Ports of patterns without one. Default: the scheme's own. */
  readonly ports?: readonly number[];
  /** Methods, upper case. Default: GET, HEAD, POST. */
  readonly methods?: readonly string[];
  /**
   * Loosening: ranges reachable although they are not public, by the hosts of `allowedHosts`; never by
   * `anyPublicHost`. Default: none.
   */
  readonly privateCidrs?: readonly string[];
  /** Paths that are reached with everything below, such as `/v1`. Default: every path. */
  readonly pathPrefixes?: readonly string[];
  /** Base64 SHA-256 digests of public keys, of which every server must have one. Default: any key. */
  readonly spkiPins?: readonly string[];
  /** Secrets that requests may be given; a plugin gets those that it asks for by name. Default: none. */
  readonly secrets?: readonly SecretPolicy[];
  /** PEM certificates trusted instead of the system's. Default: the system's. */
  readonly certificateAuthorities?: readonly string[];
  /** PEM revocation lists, one for each authority of the chains. Default: none are asked for. */
  readonly revocationLists?: readonly string[];
  /** Limits; missing ones have the defaults of limits.ts. */
  readonly limits?: Partial<NetworkLimits>;
}

/** A secret and where it goes. */
export interface SecretPolicy {
  /** What `deps.resolveSecret` knows it by: letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /** The one origin that gets it, such as `https://api.example.com`. */
  readonly origin: string;
  /** Header that is set, such as `authorization`. */
  readonly header: string;
  /** What it is set to, such as `Bearer {{secret:stripe}}`. */
  readonly template: string;
  /** Upper case. Default: every granted method. */
  readonly methods?: readonly string[];
  /** Default: every path. */
  readonly pathPrefix?: string;
}

/** On what terms a grant is made. */
export interface GrantTerms {
  /** What an operator approved; a request is narrowed to it. Default: nobody was asked. */
  readonly approval?: CapabilityRequest;
  /** Why, for the log and for people. */
  readonly purpose?: string;
  /** Milliseconds that the grant lives. Default: until it is revoked. */
  readonly expiresInMs?: number;
  /** Totals over its life. Default: none. */
  readonly quota?: GrantQuota;
}

/** A guest folder and the host folder behind it. */
export interface RootPolicy {
  /** Absolute guest path, such as `/data`. */
  readonly guest: string;
  /** Absolute host directory, in one spelling for all roots; `temporary` = a new one for each grant. */
  readonly host: string | { readonly temporary: true };
  /** Read, stat, list. */
  readonly allowRead: boolean;
  /** Write, create, append, truncate, delete, rename, mkdir. */
  readonly allowWrite: boolean;
  /** Exactly these rights, in place of what the two booleans stand for; the only way to `setTimes` and `link`. */
  readonly rights?: readonly FileRight[];
  /** Names of regular files: extensions with the dot (`.json`) or minimatch patterns (`report-*.csv`). Default: `*`. */
  readonly extensions?: readonly string[] | "*";
  /** Loosening: names with a leading dot. Default: false. */
  readonly allowHidden?: boolean;
  /** Bytes of one file. Default: 16 MiB. */
  readonly maxFileBytes?: number;
  /** Bytes of all files below `host`. Default: 256 MiB. */
  readonly quotaBytes?: number;
  /** Files, folders and links below `host`. Default: 1,000. */
  readonly maxFiles?: number;
  /** Components below `guest`. Default: 32. */
  readonly maxDepth?: number;
}

/** What the host allows; an absent part allows nothing of its kind. */
export interface HostPolicy {
  /** What of the network may be granted. Default: nothing. */
  readonly network?: NetworkPolicy;
  /** Which folders may be granted, and what all of a grant's files may use. Default: none. */
  readonly filesystem?: {
    readonly roots: readonly RootPolicy[];
    readonly totals?: Partial<FileTotals>;
  };
  /** Maxima for every plugin; absent = the manifest's own count. */
  readonly resources?: CapabilityRequest["resources"];
  /** Ranges that no grant reaches, public or not. Default: none. */
  readonly denyCidrs?: readonly string[];
}

/**
 * The policy that stands in when capability checks are off (a named loosening of the host): it
 * allows what the manifest asks, guest paths meaning host paths; what is not asked stays refused,
 * and so do private addresses, plain http and `denyCidrs`.
 */
export function policyOfRequest(request: CapabilityRequest, policy: HostPolicy): HostPolicy {
  const { network, filesystem } = request;
  return {
    ...(network === undefined ? {} : { network: networkPolicyOf(network, policy.network) }),
    ...(filesystem === undefined
      ? {}
      : {
          filesystem: {
            roots: filesystem.allowedPaths.map((path) => ({
              guest: path,
              host: path,
              allowRead: filesystem.allowRead,
              allowWrite: filesystem.allowWrite,
            })),
          },
        }),
    ...(policy.denyCidrs === undefined ? {} : { denyCidrs: policy.denyCidrs }),
  };
}

/** What is asked, with what only a host can say. */
function networkPolicyOf(
  { secrets: _names, ...asked }: NonNullable<CapabilityRequest["network"]>,
  policy: NetworkPolicy | undefined,
): NetworkPolicy {
  const { secrets, certificateAuthorities, revocationLists } = policy ?? {};
  return {
    ...asked,
    ...(secrets === undefined ? {} : { secrets }),
    ...(certificateAuthorities === undefined ? {} : { certificateAuthorities }),
    ...(revocationLists === undefined ? {} : { revocationLists }),
  };
}

/**
 * Ranges of a policy.
 *
 * @throws {@link BrokerError} (`BROKER_POLICY`)
 */
export function policyCidrs(field: string, texts: readonly string[] = []): readonly Cidr[] {
  return texts.map((text) => {
    const range = parseCidr(text);
    if (range === undefined)
      throw policyError(field, `${text} is not an address range such as 10.1.0.0/16`);
    return range;
  });
}

/**
 * Numbers of a policy over their defaults: whole, from 0.
 *
 * @throws {@link BrokerError} (`BROKER_POLICY`)
 */
export function policyNumbers<T extends Readonly<Record<string, number>>>(
  field: string,
  defaults: T,
  given: { readonly [K in keyof T]?: unknown },
): { readonly [K in keyof T]: number } {
  const merged: Record<string, number> = { ...defaults };
  for (const name of Object.keys(defaults)) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
      throw policyError(`${field}.${name}`, "expected a whole number from 0");
    }
    merged[name] = value;
  }
  return merged as { [K in keyof T]: number };
}

/** The error of a field of the policy. */
export function policyError(field: string, problem: string): BrokerError {
  return new BrokerError("BROKER_POLICY", {
    message: `policy ${field}: ${problem}`,
    details: { field },
  });
}
