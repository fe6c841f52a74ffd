/**
 * @module The options of a runtime: the specification's `PluginLoaderConfig` in camelCase, and our
 * own. One table says of each option what it may be, what it is by default (the strictest), and
 * when a value of it is a loosening (invariant I8). An option that is not in the table is refused: a
 * typing mistake must never leave a door open.
 */
import type { CapabilityRequest, HostPolicy } from "@glovebox/capability-broker";
import { received } from "@glovebox/core/errors";
import type { HostFunction } from "@glovebox/core/ports";
import { ISOLATION_LEVELS, type IsolationLevel } from "@glovebox/sandbox";
import type { TrustedKey } from "@glovebox/signer";

import type { RuntimeDeps } from "./deps.ts";
import { RuntimeError } from "./errors.ts";
import {
  DEFAULT_CPU_LIMIT_MS,
  DEFAULT_MAX_CONCURRENT_PLUGINS,
  DEFAULT_MAX_PAYLOAD_BYTES,
  DEFAULT_MAX_PLUGIN_SIZE_BYTES,
  DEFAULT_MEMORY_LIMIT_BYTES,
  DEFAULT_WALL_LIMIT_MS,
  MAX_PAYLOAD_BYTES,
  MAX_PLUGIN_SIZE_BYTES,
} from "./limits.ts";

/** When an audit event is on disk: before its effect, before the reply (default), or some time. */
export type AuditDurability = "effect" | "return" | "async";

/** What is checked, and how well plugins are locked in. */
export interface SecurityOptions {
  /** Default true. False, a loosening: modules are judged by the engine alone, not by policy. */
  readonly enableWasmValidation?: boolean;
  /** Default true. False, a loosening: plugins get what they ask for, without host policy. */
  readonly enableCapabilityChecks?: boolean;
  /** Default true. False, a loosening: nothing is recorded; not while signatures are required. */
  readonly enableAuditLogging?: boolean;
  /** Bytes of a package's files in all, 1 to 64 MiB. Default: 10 MiB. */
  readonly maxPluginSizeBytes?: number;
  /** The level that runners have to prove. Default `permission`; `none` is a loosening. */
  readonly minimumIsolation?: IsolationLevel;
}

/** What plugins and calls may use. */
export interface ResourceOptions {
  /** Linear memory of a plugin that asks for none, and the most that one gets without `policy.resources`. Default: 64 MiB. */
  readonly defaultMemoryLimitBytes?: number;
  /** Milliseconds of CPU time of one call, as above. Default: 5,000. */
  readonly defaultCpuLimitMs?: number;
  /** Milliseconds of real time of one call, host calls included. Default: 30,000. */
  readonly defaultWallLimitMs?: number;
  /** Plugins that may be loaded at once, at least 1. Default: 64. */
  readonly maxConcurrentPlugins?: number;
  /** Calls that run at once on this host, at least 1. Default: 64. */
  readonly maxConcurrentCalls?: number;
  /** Calls of one plugin that run at once, at least 1. Default: 8. */
  readonly maxConcurrentCallsPerPlugin?: number;
  /** Calls per second of one plugin. Default: no limit. */
  readonly callsPerSecond?: number;
  /** Calls of one plugin that may come at once where `callsPerSecond` is set. Default: 1. */
  readonly callBurst?: number;
  /** Bytes of one call's input, 1 to 256 MiB. Default: 16 MiB. */
  readonly maxInputBytes?: number;
  /** Bytes of one call's output, 1 to 256 MiB. Default: 16 MiB. */
  readonly maxOutputBytes?: number;
}

/** How packages are judged. */
export interface ValidationOptions {
  /** Default true. False, a loosening: unknown keys of a manifest are warnings. */
  readonly strictManifestValidation?: boolean;
  /** Default true. False, a loosening: packages are loaded whoever made them. */
  readonly requireSignatures?: boolean;
  /** Imports besides those of the ABI, as `module.name` with `*`: a loosening. Default: none. */
  readonly allowedImportPatterns?: readonly string[];
}

/** Everything that {@link PluginRuntime.open} can be told. */
export interface RuntimeConfig {
  readonly security?: SecurityOptions;
  readonly resources?: ResourceOptions;
  readonly validation?: ValidationOptions;
  readonly audit?: {
    /** Directory of the audit log; needed unless auditing is off or `deps.decisionLog` is given. */
    readonly directory?: string;
    /** Default `return`; `async` is a loosening. */
    readonly auditDurability?: AuditDurability;
  };
  /** What the host allows. Default: nothing. */
  readonly policy?: HostPolicy;
  /** Plugin id → what the operator confirmed; narrows the policy. Default: the policy alone decides. */
  readonly approvals?: Readonly<Record<string, CapabilityRequest>>;
  /** Whose signatures count. Default: nobody's. */
  readonly trust?: { readonly trustedKeys: readonly TrustedKey[] };
  /** Functions that plugins may import from `extism:host/user`. Default: none. */
  readonly hostFunctions?: Readonly<Record<string, HostFunction>>;
  /** Plugin id → the configuration that the plugin can read. Default: none. */
  readonly pluginConfig?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** `shareRunners` (default false), a loosening: tenants may meet in one process. */
  readonly tenancy?: { readonly shareRunners?: boolean };
  readonly deps?: RuntimeDeps;
}

/** The options with their defaults. */
export interface ParsedConfig {
  readonly security: Required<SecurityOptions>;
  readonly resources: Required<Omit<ResourceOptions, RateOption>> &
    Pick<ResourceOptions, RateOption>;
  readonly validation: Required<ValidationOptions>;
  readonly audit: { readonly directory?: string; readonly auditDurability: AuditDurability };
  readonly policy: HostPolicy;
  readonly approvals: ReadonlyMap<string, CapabilityRequest>;
  readonly trustedKeys: readonly TrustedKey[];
  readonly hostFunctions: ReadonlyMap<string, HostFunction>;
  readonly pluginConfig: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly shareRunners: boolean;
  readonly deps: RuntimeDeps;
  /** Names of the options whose values are weaker than their defaults. */
  readonly loosened: readonly string[];
}

type RateOption =
  | "maxConcurrentCalls"
  | "maxConcurrentCallsPerPlugin"
  | "callsPerSecond"
  | "callBurst";

interface OptionRule {
  readonly preset?: unknown;
  readonly expected: string;
  accepts(value: unknown): boolean;
  loosens?(value: unknown): boolean;
}

const on: OptionRule = {
  preset: true,
  expected: "true or false",
  accepts: (value) => typeof value === "boolean",
  loosens: (value) => value === false,
};
const isList = (value: unknown): boolean => Array.isArray(value) && value.length > 0;
const anything: OptionRule = { expected: "an object", accepts: isObject };

function whole(preset: number | undefined, max: number = Number.MAX_SAFE_INTEGER): OptionRule {
  return {
    preset,
    expected: `a whole number from 1 to ${max}`,
    accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max,
  };
}

function oneOf(values: readonly string[], preset: string, weakest: string): OptionRule {
  return {
    preset,
    expected: `one of ${values.join(", ")}`,
    accepts: (value) => values.includes(String(value)),
    loosens: (value) => value === weakest,
  };
}

/** Group → option → rule; `true` for a group that its module checks. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, OptionRule>> | true>> = {
  security: {
    enableWasmValidation: on,
    enableCapabilityChecks: on,
    enableAuditLogging: on,
    maxPluginSizeBytes: whole(DEFAULT_MAX_PLUGIN_SIZE_BYTES, MAX_PLUGIN_SIZE_BYTES),
    minimumIsolation: oneOf(ISOLATION_LEVELS, "permission", "none"),
  },
  resources: {
    defaultMemoryLimitBytes: whole(DEFAULT_MEMORY_LIMIT_BYTES, 4 * 1024 ** 3),
    defaultCpuLimitMs: whole(DEFAULT_CPU_LIMIT_MS),
    defaultWallLimitMs: whole(DEFAULT_WALL_LIMIT_MS),
    maxConcurrentPlugins: whole(DEFAULT_MAX_CONCURRENT_PLUGINS),
    maxConcurrentCalls: whole(undefined),
    maxConcurrentCallsPerPlugin: whole(undefined),
    callsPerSecond: {
      expected: "a number above 0",
      accepts: (value) => typeof value === "number" && value > 0,
    },
    callBurst: whole(undefined),
    maxInputBytes: whole(DEFAULT_MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES),
    maxOutputBytes: whole(DEFAULT_MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES),
  },
  validation: {
    strictManifestValidation: on,
    requireSignatures: on,
    allowedImportPatterns: {
      preset: [],
      expected: "a list of patterns",
      accepts: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
      loosens: isList,
    },
  },
  audit: {
    directory: {
      expected: "a path",
      accepts: (value) => typeof value === "string" && value !== "",
    },
    auditDurability: oneOf(["effect", "return", "async"], "return", "async"),
  },
  tenancy: { shareRunners: { ...on, preset: false, loosens: (value) => value === true } },
  trust: { trustedKeys: { preset: [], expected: "a list of keys", accepts: Array.isArray } },
  policy: { network: anything, filesystem: anything, resources: anything, denyCidrs: { expected: "a list of ranges", accepts: Array.isArray } },
  approvals: true,
  hostFunctions: true,
  pluginConfig: true,
  deps: true,
};

/** Options of the policy that are loosenings whatever else it says. */
const POLICY_LOOSENINGS: Readonly<Record<string, (policy: HostPolicy) => boolean>> = {
  "policy.network.allowInsecureHttp": ({ network }) => network?.allowInsecureHttp === true,
  "policy.network.anyPublicHost": ({ network }) => network?.anyPublicHost === true,
  "policy.network.privateCidrs": ({ network }) => isList(network?.privateCidrs),
};

/**
 * Checks options and fills in the defaults.
 *
 * @throws {@link RuntimeError} (`RUNTIME_OPTIONS`)
 */
export function parseConfig(raw: RuntimeConfig = {}): ParsedConfig {
  if (!isObject(raw)) throw optionError("the options", "an object", raw);
  const loosened: string[] = [];
  const groups: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const name of Object.keys(raw)) {
    if (!Object.hasOwn(OPTIONS, name)) throw unknownOption(name, Object.keys(OPTIONS));
  }
  for (const [name, rules] of Object.entries(OPTIONS)) {
    const given: unknown = (raw as Record<string, unknown>)[name] ?? {};
    if (!isObject(given)) throw optionError(name, "an object", given);
    groups[name] = rules === true ? given : parseGroup(name, rules, given, loosened);
  }
  // The casts stand on the table above: each option was accepted by its rule.
  const { audit = {}, approvals = {}, hostFunctions = {}, pluginConfig = {} } = groups;
  const parsed = groups as unknown as ParsedConfig & {
    trust: { trustedKeys: readonly TrustedKey[] };
    tenancy: { shareRunners: boolean };
  };
  for (const [name, isLoose] of Object.entries(POLICY_LOOSENINGS)) {
    if (isLoose(parsed.policy)) loosened.push(name);
  }
  checkCombination(parsed);
  return Object.freeze({
    security: parsed.security,
    resources: parsed.resources,
    validation: parsed.validation,
    audit: audit as unknown as ParsedConfig["audit"],
    policy: parsed.policy,
    approvals: mapOf(approvals as Record<string, CapabilityRequest>),
    trustedKeys: parsed.trust.trustedKeys,
    hostFunctions: mapOf(hostFunctions as Record<string, HostFunction>),
    pluginConfig: mapOf(pluginConfig as Record<string, Record<string, string>>),
    shareRunners: parsed.tenancy.shareRunners,
    deps: parsed.deps,
    loosened: Object.freeze(loosened),
  });
}

function parseGroup(
  group: string,
  rules: Readonly<Record<string, OptionRule>>,
  given: Readonly<Record<string, unknown>>,
  loosened: string[],
): Readonly<Record<string, unknown>> {
  const parsed: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(rules, name)) throw unknownOption(`${group}.${name}`, Object.keys(rules));
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = given[name] ?? rule.preset;
    if (value === undefined) continue;
    if (!rule.accepts(value)) throw optionError(`${group}.${name}`, rule.expected, value);
    if (rule.loosens?.(value) === true) loosened.push(`${group}.${name}`);
    parsed[name] = value;
  }
  return Object.freeze(parsed);
}

function checkCombination({ security, validation, audit, deps }: ParsedConfig): void {
  if (!security.enableAuditLogging) {
    if (!validation.requireSignatures) return;
    const problem = "cannot be false while validation.requireSignatures is true";
    throw new RuntimeError("RUNTIME_OPTIONS", {
      message: `security.enableAuditLogging ${problem}`,
    });
  }
  if (audit.directory === undefined && deps.decisionLog === undefined) {
    throw optionError("audit.directory", "the directory of the audit log", undefined);
  }
}

function unknownOption(name: string, known: readonly string[]): RuntimeError {
  return new RuntimeError("RUNTIME_OPTIONS", {
    message: `${received(name)} is no option; known are ${known.join(", ")}`,
    details: { option: name },
  });
}

function optionError(option: string, expected: string, value: unknown): RuntimeError {
  return new RuntimeError("RUNTIME_OPTIONS", {
    message: `${option} must be ${expected}; received ${received(value)}`,
    details: { option },
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Looked up by names from outside, for which `constructor` must not find anything. */
function mapOf<T>(record: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(record));
}
