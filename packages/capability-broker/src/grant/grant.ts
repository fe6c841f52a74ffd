/**
 * @module What a grant is: frozen data that names what may be reached, recognised by identity. An
 * object that only looks like a grant is none (object capabilities; CWE-501): the broker keeps the
 * ones it made in a weak set, so neither a copy nor a forged literal carries authority.
 */
import type { GrantId, PluginId } from "@glovebox/core/ids";
import type { FileRight } from "@glovebox/core/ports";

import { BrokerError } from "../errors.ts";
import type { Cidr } from "../target/address.ts";
import type { HostEntry } from "./host-set.ts";

/** Limits of a network grant; defaults and reasons: `DEFAULT_NETWORK_LIMITS` in limits.ts. */
export interface NetworkLimits {
  /** Milliseconds for a look-up. */
  readonly resolveTimeoutMs: number;
  /** Milliseconds for TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** Milliseconds from the request's end to the response's head. */
  readonly firstByteTimeoutMs: number;
  /** Milliseconds without a byte while the plugin waits for one. */
  readonly idleTimeoutMs: number;
  /** Milliseconds for the whole exchange, redirects included. */
  readonly totalTimeoutMs: number;
  /** Bytes that a body must bring per second while it is waited for; 0 = no floor. */
  readonly minBytesPerSecond: number;
  /** Bytes of a request's body; 0 = none. */
  readonly maxRequestBytes: number;
  /** Bytes of a response's body as they come; 0 = none. */
  readonly maxResponseBytes: number;
  /** Bytes of a response's body after decoding; 0 = none. */
  readonly maxDecodedBytes: number;
  /** Bytes of a response's head. */
  readonly maxHeadBytes: number;
  /** Decoded bytes for each encoded one, once a body has decoded to more than half a MiB. */
  readonly maxRatio: number;
  /** Layers of content coding; 0 = only bodies as they are. */
  readonly maxCodings: number;
  /** Redirects that are followed; 0 = a redirect is handed to the plugin as it is. */
  readonly maxRedirects: number;
  /** Exchanges at a time; 0 = none. */
  readonly maxConcurrent: number;
  /** Requests per minute, each redirect one; also how many may come at once; 0 = none. */
  readonly maxRequestsPerMinute: number;
  /** Look-ups of names per minute; also how many may come at once; 0 = none. */
  readonly maxLookUpsPerMinute: number;
}

/** A secret that the broker inserts into requests; the plugin never sees its value. */
export interface SecretRule {
  /** What the resolver knows it by. */
  readonly name: string;
  /** `scheme://host:port`, with the port. */
  readonly origin: string;
  /** Upper case; absent = every granted method. */
  readonly methods?: readonly string[];
  /** Path and everything below; absent = every path. */
  readonly pathPrefix?: string;
  /** Lower-case header that is set. */
  readonly header: string;
  /** Holds `{{secret:NAME}}` once. */
  readonly template: string;
}

/** What a plugin may reach over HTTP. */
export interface NetworkGrant {
  readonly hosts: readonly HostEntry[];
  readonly methods: readonly string[];
  /** Canonical paths that are reached with everything below; absent = every path. */
  readonly pathPrefixes?: readonly string[];
  /** Lists of base64 SHA-256 digests of public keys; a server's key must be in each list. */
  readonly pins: readonly (readonly string[])[];
  readonly secrets: readonly SecretRule[];
  readonly privateCidrs: readonly Cidr[];
  /** Hosts that the policy names, which alone may have an address in `privateCidrs`. */
  readonly privateHosts: readonly HostEntry[];
  readonly denyCidrs: readonly Cidr[];
  /** PEM certificates trusted instead of the system's; absent = the system's. */
  readonly certificateAuthorities?: readonly string[];
  /** PEM revocation lists; with them, every certificate of a chain must be covered by one. */
  readonly revocationLists?: readonly string[];
  readonly limits: NetworkLimits;
}

/** A guest folder, the host folder behind it, and what may be done there. */
export interface FolderGrant {
  /** Guest prefix, such as `/data/input`. */
  readonly guest: string;
  /** Host directory of the policy's root, never shown to a plugin; or a new one for this grant. */
  readonly host: string | { readonly temporary: true };
  /** Components from the host directory down to the guest prefix. */
  readonly below: readonly string[];
  readonly rights: readonly FileRight[];
  /** Extensions with the dot and minimatch patterns, lower case; `*` = every name. */
  readonly extensions: readonly string[] | "*";
  /** Names with a leading dot too. */
  readonly allowHidden: boolean;
  /** Bytes of one file. */
  readonly maxFileBytes: number;
  /** Bytes of all regular files below the host directory, shared by every grant on it. */
  readonly quotaBytes: number;
  /** Files, folders and links below the host directory, shared by every grant on it. */
  readonly maxFiles: number;
  /** Components below the guest prefix. */
  readonly maxDepth: number;
}

/** Totals of file work. */
export interface FileTotals {
  /** Handles open at a time. */
  readonly maxOpenFiles: number;
  /** Bytes that one call reads in all. */
  readonly maxReadBytesPerCall: number;
  /** Bytes that one call writes in all. */
  readonly maxWrittenBytesPerCall: number;
}

/** What a plugin may do with files. */
export interface FilesystemGrant {
  /** In the order of the request; for a path the one with the longest guest prefix speaks. */
  readonly folders: readonly FolderGrant[];
  readonly totals: FileTotals;
}

/** The effective maxima of a plugin; absent = not set by anyone. */
export interface ResourceGrant {
  readonly maxMemoryBytes?: number;
  readonly maxCpuTimeMs?: number;
  readonly maxInstructions?: number;
}

/** Totals over the life of a grant; absent = not bounded. */
export interface GrantQuota {
  /** Requests, each redirect one. */
  readonly requests?: number;
  /** Bytes of everything that the plugin chose: names, URLs, headers, bodies. */
  readonly sentBytes?: number;
  /** Bytes of response bodies as they came. */
  readonly receivedBytes?: number;
}

/** Manifest ∩ policy ∩ approval. */
export interface EffectiveGrant {
  readonly network?: NetworkGrant;
  readonly filesystem?: FilesystemGrant;
  readonly resources: ResourceGrant;
  /** What was asked for and not granted, in plain words. */
  readonly withheld: readonly string[];
}

/** A grant that a broker made for one plugin; opaque, frozen, revocable by its id. */
export interface GrantSet extends EffectiveGrant {
  readonly id: GrantId;
  readonly pluginId: PluginId;
  /** Why it was made, for the log and for people. */
  readonly purpose?: string;
  /** The grant that it was attenuated from. */
  readonly parentId?: GrantId;
  readonly quota: GrantQuota;
  /** Milliseconds on the broker's monotonic clock. */
  readonly expiresAtMs?: number;
}

const genuine = new WeakSet<object>();

/** Freezes a grant deeply and remembers it as genuine. */
export function mint<T extends object>(grant: T): T {
  deepFreeze(grant);
  genuine.add(grant);
  return grant;
}

/**
 * Throws unless the object was made by this package.
 *
 * @throws {@link BrokerError} (`BROKER_GRANT_UNKNOWN`)
 */
export function assertGenuine(grant: object): void {
  if (!genuine.has(grant)) throw new BrokerError("BROKER_GRANT_UNKNOWN");
}

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
