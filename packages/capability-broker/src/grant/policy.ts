/**
 * @module What people write: a plugin's request, an operator's approval, the host's policy. The
 * first two are untrusted and refused when malformed; a malformed policy is the programmer's error
 * and throws, so that a typing mistake never widens a grant.
 */
import { BrokerError } from "../errors.ts";
import { type Cidr, parseCidr } from "../target/address.ts";
import type { FileTotals, NetworkLimits } from "./grant.ts";

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
  };
  readonly filesystem?: {
    readonly allowRead: boolean;
    readonly allowWrite: boolean;
    /** Guest folders. */
    readonly allowedPaths: readonly string[];
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
  /** Loosening: ranges reachable although they are not public. Default: none. */
  readonly privateCidrs?: readonly string[];
  /** PEM certificates trusted instead of the system's. Default: the system's. */
  readonly certificateAuthorities?: readonly string[];
  /** Limits; missing ones have the defaults of limits.ts. */
  readonly limits?: Partial<NetworkLimits>;
}

/** A guest folder and the host folder behind it. */
export interface RootPolicy {
  /** Absolute guest path, such as `/data`. */
  readonly guest: string;
  /** Absolute host directory. */
  readonly host: string;
  /** Read, stat, list. */
  readonly allowRead: boolean;
  /** Write, create, append, truncate, delete, rename, mkdir. */
  readonly allowWrite: boolean;
  /** Extensions with the dot, such as `.json`. Default: `*`. */
  readonly extensions?: readonly string[] | "*";
  /** Bytes of one file. Default: 16 MiB. */
  readonly maxFileBytes?: number;
  /** Bytes of all files below `host`. Default: 256 MiB. */
  readonly quotaBytes?: number;
  /** Files below `host`. Default: 1,000. */
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
    ...(network === undefined ? {} : { network }),
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
