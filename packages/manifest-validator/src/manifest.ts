/**
 * @module What a valid plugin.yaml says, in camelCase and deeply frozen: the only form in which a
 * manifest travels on. Nothing downstream checks it again (contract.md 1 is checked once, here).
 */
import type { PluginId } from "@glovebox/core/ids";
import type { JsonValue } from "@glovebox/core/json";
import type { FileRight } from "@glovebox/core/ports";

/** What a plugin is for. */
export type PluginType = "auth" | "template" | "response" | "datasource";
/** How a plugin and its host call each other. */
export type PluginAbi = "flat" | "extism" | "wasi";
/** What one WebAssembly instance serves: all calls of a runner, or one call. */
export type InstanceScope = "runner" | "call";
/** A JSON Schema 2020-12 without references beyond its own `$defs`. */
export type JsonSchema = boolean | { readonly [keyword: string]: JsonValue };

/** One module of a plugin: its name for linking, and its path in the package. */
export interface ManifestModule {
  readonly name: string;
  /** Relative, normalised, with forward slashes. */
  readonly path: string;
}

/** A limit of its own requests that a plugin may lower; the unit is in the name. */
export type NetworkLimitName =
  | "resolveTimeoutMs"
  | "connectTimeoutMs"
  | "firstByteTimeoutMs"
  | "idleTimeoutMs"
  | "totalTimeoutMs"
  | "minBytesPerSecond"
  | "maxRequestBytes"
  | "maxResponseBytes"
  | "maxDecodedBytes"
  | "maxHeadBytes"
  | "maxRatio"
  | "maxCodings"
  | "maxRedirects"
  | "maxConcurrent"
  | "maxRequestsPerMinute"
  | "maxLookUpsPerMinute";

/** What a plugin asks for. What it gets is decided by the host's policy. */
export interface CapabilityRequest {
  /** Absent = no network asked for. */
  readonly network?: {
    readonly allowHttpOutbound: boolean;
    /** Host names, or `*.` and a host name; checked for shape only. */
    readonly allowedHosts: readonly string[];
    /** Ports of every host. Absent = the scheme's own. */
    readonly ports?: readonly number[];
    /** Upper case. Absent = those of the host's policy. */
    readonly methods?: readonly string[];
    /** Paths that are reached with everything below. Absent = every path. */
    readonly pathPrefixes?: readonly string[];
    /** Base64 SHA-256 digests of public keys, of which a server must have one. Absent = any key. */
    readonly spkiPins?: readonly string[];
    /** Names of the host's secrets that requests are to be given. Absent = none. */
    readonly secrets?: readonly string[];
    /** Absent members = the host's. */
    readonly limits?: { readonly [Limit in NetworkLimitName]?: number };
  };
  /** Absent = no files asked for. */
  readonly filesystem?: {
    readonly allowRead: boolean;
    readonly allowWrite: boolean;
    /** Absolute guest paths, normalised. */
    readonly allowedPaths: readonly string[];
    /** Exactly these rights, in place of what the two booleans stand for. */
    readonly rights?: readonly FileRight[];
  };
  /** Absent members = the host's default. */
  readonly resources: {
    readonly maxMemoryBytes?: number;
    readonly maxCpuTimeMs?: number;
    readonly maxInstructions?: number;
  };
}

/** What goes into and comes out of one function; absent = anything. */
export interface FunctionSchemas {
  readonly input?: JsonSchema;
  readonly output?: JsonSchema;
}

/** A valid manifest, deeply frozen. `functions` and `dependencies` have no prototype. */
export interface PluginManifest {
  readonly id: PluginId;
  /** Three numbers separated by dots. */
  readonly version: string;
  readonly name?: string;
  readonly description?: string;
  readonly author?: string;
  /** At least one, each once. */
  readonly types: readonly PluginType[];
  readonly abi: PluginAbi;
  /** At least one; the last is the main one. `wasm: x` is one module named `main`. */
  readonly modules: readonly ManifestModule[];
  /**
   * Default `runner`. A WASI command (a module with `_start`) always gets an instance per call,
   * whatever stands here; only its exports tell, so the sandbox decides that.
   */
  readonly instance: InstanceScope;
  readonly capabilities: CapabilityRequest;
  readonly functions: Readonly<Record<string, FunctionSchemas>>;
  /** Plugin id → semantic version range. */
  readonly dependencies: Readonly<Record<string, string>>;
}
