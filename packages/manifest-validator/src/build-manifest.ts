/**
 * @module From data in which no rule found fault to the frozen manifest. The one cast below stands
 * here because every rule of rules/all-rules.ts has spoken: the data has the shape of RawManifest.
 */
import type { PluginId } from "@glovebox/core/ids";
import type { JsonValue } from "@glovebox/core/json";
import type { FileRight } from "@glovebox/core/ports";

import type {
  CapabilityRequest,
  FunctionSchemas,
  InstanceScope,
  JsonSchema,
  ManifestModule,
  PluginAbi,
  PluginManifest,
  PluginType,
} from "./manifest.ts";
import { NETWORK_LIMIT_KEYS } from "./rules/network.ts";

interface RawManifest {
  readonly plugin: {
    readonly id: PluginId;
    readonly version: string;
    readonly name?: string;
    readonly description?: string;
    readonly author?: string;
    readonly types: readonly PluginType[];
    readonly abi: PluginAbi;
    readonly wasm?: string;
    readonly modules?: readonly ManifestModule[];
    readonly instance?: InstanceScope;
  };
  readonly capabilities?: RawCapabilities;
  readonly functions?: Readonly<
    Record<string, { readonly input?: JsonSchema; readonly output?: JsonSchema }>
  >;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface RawCapabilities {
  readonly network?: {
    readonly allow_http_outbound?: boolean;
    readonly allowed_hosts?: readonly string[];
    readonly ports?: readonly number[];
    readonly methods?: readonly string[];
    readonly path_prefixes?: readonly string[];
    readonly spki_pins?: readonly string[];
    readonly secrets?: readonly string[];
    readonly limits?: Readonly<Record<string, number>>;
  };
  readonly filesystem?: {
    readonly allow_read?: boolean;
    readonly allow_write?: boolean;
    readonly allowed_paths?: readonly string[];
    readonly rights?: readonly FileRight[];
  };
  readonly resources?: {
    readonly max_memory_bytes?: number;
    readonly max_cpu_time_ms?: number;
    readonly max_instructions?: number;
  };
}

/** Builds the manifest of data that every rule has accepted. */
export function buildManifest(root: JsonValue): PluginManifest {
  const raw = root as unknown as RawManifest;
  const { plugin } = raw;
  return deepFreeze({
    id: plugin.id,
    version: plugin.version,
    ...(plugin.name === undefined ? {} : { name: plugin.name }),
    ...(plugin.description === undefined ? {} : { description: plugin.description }),
    ...(plugin.author === undefined ? {} : { author: plugin.author }),
    types: plugin.types,
    abi: plugin.abi,
    modules: modulesOf(plugin),
    instance: plugin.instance ?? "runner",
    capabilities: capabilitiesOf(raw.capabilities ?? {}),
    functions: functionsOf(raw.functions ?? {}),
    dependencies: withoutPrototype(Object.entries(raw.dependencies ?? {})),
  });
}

function modulesOf(plugin: RawManifest["plugin"]): readonly ManifestModule[] {
  return plugin.wasm === undefined
    ? (plugin.modules ?? []).map(({ name, path }) => ({ name, path }))
    : [{ name: "main", path: plugin.wasm }];
}

function capabilitiesOf({
  network,
  filesystem,
  resources = {},
}: RawCapabilities): CapabilityRequest {
  const { max_memory_bytes, max_cpu_time_ms, max_instructions } = resources;
  return {
    ...(network === undefined ? {} : { network: networkOf(network) }),
    ...(filesystem === undefined
      ? {}
      : {
          filesystem: {
            allowRead: filesystem.allow_read ?? false,
            allowWrite: filesystem.allow_write ?? false,
            allowedPaths: filesystem.allowed_paths ?? [],
            ...(filesystem.rights === undefined ? {} : { rights: filesystem.rights }),
          },
        }),
    resources: {
      ...(max_memory_bytes === undefined ? {} : { maxMemoryBytes: max_memory_bytes }),
      ...(max_cpu_time_ms === undefined ? {} : { maxCpuTimeMs: max_cpu_time_ms }),
      ...(max_instructions === undefined ? {} : { maxInstructions: max_instructions }),
    },
  };
}

function networkOf(
  raw: NonNullable<RawCapabilities["network"]>,
): NonNullable<CapabilityRequest["network"]> {
  const { ports, methods, path_prefixes, spki_pins, secrets, limits } = raw;
  return {
    allowHttpOutbound: raw.allow_http_outbound ?? false,
    allowedHosts: raw.allowed_hosts ?? [],
    ...(ports === undefined ? {} : { ports }),
    ...(methods === undefined ? {} : { methods }),
    ...(path_prefixes === undefined ? {} : { pathPrefixes: path_prefixes }),
    ...(spki_pins === undefined ? {} : { spkiPins: spki_pins }),
    ...(secrets === undefined ? {} : { secrets }),
    ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
  };
}

/** Keys that are unknown, which outside strict mode are warnings, are left behind. */
function limitsOf(raw: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(NETWORK_LIMIT_KEYS).flatMap(([name, key]) => {
      const value = raw[key];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function functionsOf(raw: NonNullable<RawManifest["functions"]>): Record<string, FunctionSchemas> {
  return withoutPrototype(
    Object.entries(raw).map(([name, { input, output }]) => [
      name,
      { ...(input === undefined ? {} : { input }), ...(output === undefined ? {} : { output }) },
    ]),
  );
}

/** Callers look these up by names from outside; "constructor" must not find anything. */
function withoutPrototype<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, Object.fromEntries(entries));
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
