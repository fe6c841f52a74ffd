/**
 * @module What a grant is: frozen data that names what may be reached, recognised by identity. An
 * object that only looks like a grant is none (object capabilities; CWE-501): the broker keeps the
 * ones it made in a weak set, so neither a copy nor a forged literal carries authority.
 */
import type { GrantId, PluginId } from "@glovebox/core/ids";
import type { FileRight } from "@glovebox/core/ports";

import { BrokerError } from "../errors.ts";
import type { Cidr } from "../target/address.ts";
import type { Endpoint, HostPattern } from "../target/host-pattern.ts";

/** A host pattern with the schemes and ports that go with it. */
export interface HostEntry {
  readonly pattern: HostPattern;
  readonly endpoints: readonly Endpoint[];
}

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
  /** Milliseconds for the whole exchange. */
  readonly totalTimeoutMs: number;
  /** Bytes of a request's body; 0 = none. */
  readonly maxRequestBytes: number;
  /** Bytes of a response's body as they come; 0 = none. */
  readonly maxResponseBytes: number;
  /** Exchanges at a time; 0 = none. */
  readonly maxConcurrent: number;
}

/** What a plugin may reach over HTTP. */
export interface NetworkGrant {
  readonly hosts: readonly HostEntry[];
  readonly methods: readonly string[];
  readonly privateCidrs: readonly Cidr[];
  readonly denyCidrs: readonly Cidr[];
  /** PEM certificates trusted instead of the system's; absent = the system's. */
  readonly certificateAuthorities?: readonly string[];
  readonly limits: NetworkLimits;
}

/** A guest folder, the host folder behind it, and what may be done there. */
export interface FolderGrant {
  /** Guest prefix, such as `/data/input`. */
  readonly guest: string;
  /** Host directory of the policy's root; never shown to a plugin. */
  readonly host: string;
  /** Components from the host directory down to the guest prefix. */
  readonly below: readonly string[];
  readonly rights: readonly FileRight[];
  /** Extensions with the dot, lower case; `*` = every one. */
  readonly extensions: readonly string[] | "*";
  /** Bytes of one file. */
  readonly maxFileBytes: number;
  /** Bytes of all regular files below the host directory, shared by every grant on it. */
  readonly quotaBytes: number;
  /** Regular files below the host directory, shared by every grant on it. */
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
  readonly folders: readonly FolderGrant[];
  readonly totals: FileTotals;
}

/** The effective maxima of a plugin; absent = not set by anyone. */
export interface ResourceGrant {
  readonly maxMemoryBytes?: number;
  readonly maxCpuTimeMs?: number;
  readonly maxInstructions?: number;
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
