/**
 * @module The options of a runtime, checked. One table says of each option what it may be, what it is
 * by default (the strictest), and when a value of it is a loosening (invariant I8). An option that
 * is not in the table is refused: a typing mistake must never leave a door open.
 */
import type { AuditorOptions } from "@glovebox/auditor";
import type { HostPolicy } from "@glovebox/capability-broker";
import { received } from "@glovebox/core/errors";
import type { HostFunction } from "@glovebox/core/ports";
import { DEFAULT_MINIMUM_ISOLATION, ISOLATION_LEVELS, MAX_CALL_CPU_MS } from "@glovebox/sandbox";
import type { TrustedKey } from "@glovebox/signer";

import type { ApprovalStore } from "./approval-store.ts";
import { RuntimeError } from "./errors.ts";
import {
  DEFAULT_CPU_LIMIT_MS,
  DEFAULT_INSTRUCTION_LIMIT,
  DEFAULT_MAX_CONCURRENT_PLUGINS,
  DEFAULT_MAX_PAYLOAD_BYTES,
  DEFAULT_MAX_PLUGIN_SIZE_BYTES,
  DEFAULT_MEMORY_LIMIT_BYTES,
  DEFAULT_WALL_LIMIT_MS,
  MAX_PAYLOAD_BYTES,
  MAX_PLUGIN_SIZE_BYTES,
} from "./limits.ts";
import type { ParsedConfig, RuntimeConfig } from "./options.ts";

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

function oneOf(values: readonly string[], preset: string, ...weaker: string[]): OptionRule {
  return {
    preset,
    expected: `one of ${values.join(", ")}`,
    accepts: (value) => values.includes(String(value)),
    loosens: (value) => weaker.includes(String(value)),
  };
}

/** What only the auditor has to understand. */
const AUDITOR_OPTIONS: Readonly<Record<AuditorOption, OptionRule>> = {
  origin: theirs(),
  maxQueuedEvents: theirs(),
  witnessPolicy: theirs(),
  sealIntervalMs: theirs(),
  classes: theirs(),
  anchorDirectory: theirs(),
  keyDirectory: theirs(),
  keyCopies: theirs(),
  retentionDays: theirs(),
  cleanUpEveryMs: theirs(),
  flood: theirs(),
  diskReserveBytes: { ...theirs(), loosens: (bytes) => bytes === 0 },
};

type AuditorOption = Exclude<keyof AuditorOptions, "directory" | "durability" | "personalData">;

function theirs(): OptionRule {
  return { expected: "what the auditor takes", accepts: () => true };
}

const fromZero: OptionRule = {
  expected: "a whole number from 0",
  accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
const aboveZero: OptionRule = {
  expected: "a number above 0",
  accepts: (value) => typeof value === "number" && value > 0,
};

/** Group → option → rule; `true` for a group that its module checks. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, OptionRule>> | true>> = {
  security: {
    enableWasmValidation: on,
    enableCapabilityChecks: on,
    enableAuditLogging: on,
    maxPluginSizeBytes: whole(DEFAULT_MAX_PLUGIN_SIZE_BYTES, MAX_PLUGIN_SIZE_BYTES),
    minimumIsolation: oneOf(
      ISOLATION_LEVELS,
      DEFAULT_MINIMUM_ISOLATION,
      ...ISOLATION_LEVELS.slice(0, ISOLATION_LEVELS.indexOf(DEFAULT_MINIMUM_ISOLATION)),
    ),
    runnerUser: {
      expected: '{uid, gid}, numbers from 1, or "host"',
      accepts: (value) => value === "host" || isUser(value),
      loosens: (value) => value === "host",
    },
    outerLayer: {
      expected: '"bubblewrap", "landlock" or "none"',
      accepts: (value) => ["bubblewrap", "landlock", "none"].includes(String(value)),
      loosens: (value) => value === "none",
    },
  },
  resources: {
    defaultMemoryLimitBytes: whole(DEFAULT_MEMORY_LIMIT_BYTES, 4 * 1024 ** 3),
    defaultCpuLimitMs: whole(DEFAULT_CPU_LIMIT_MS, MAX_CALL_CPU_MS),
    defaultInstructionLimit: whole(DEFAULT_INSTRUCTION_LIMIT),
    instructionBudgets: {
      preset: {},
      expected: "budgets for plugin, tenant and host",
      accepts: (value) =>
        isObject(value) &&
        Object.entries(value).every(
          ([level, allowance]) =>
            ["plugin", "tenant", "host"].includes(level) && isObject(allowance),
        ),
    },
    defaultWallLimitMs: whole(DEFAULT_WALL_LIMIT_MS),
    maxConcurrentPlugins: whole(DEFAULT_MAX_CONCURRENT_PLUGINS),
    maxRunners: whole(undefined),
    sleepAfterMs: fromZero,
    maxConcurrentCalls: whole(undefined),
    maxConcurrentCallsPerPlugin: whole(undefined),
    callsPerSecond: aboveZero,
    callBurst: whole(undefined),
    tenantCallsPerSecond: aboveZero,
    tenantCallBurst: whole(undefined),
    maxQueuedCalls: fromZero,
    maxQueuedCallsPerPlugin: fromZero,
    maxQueueWaitMs: whole(undefined),
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
    personalData: oneOf(["encrypted", "clear"], "encrypted", "clear"),
    sinks: { preset: [], expected: "a list of sinks", accepts: Array.isArray },
    wrappingKey: { expected: "bytes", accepts: (value) => value instanceof Uint8Array },
    ...AUDITOR_OPTIONS,
  },
  tenancy: { shareRunners: { ...on, preset: false, loosens: (value) => value === true } },
  trust: { trustedKeys: { preset: [], expected: "a list of keys", accepts: Array.isArray } },
  policy: {
    network: anything,
    filesystem: anything,
    resources: anything,
    denyCidrs: { expected: "a list of ranges", accepts: Array.isArray },
  },
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
  const { audit = {}, hostFunctions = {}, pluginConfig = {} } = groups;
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
    approvals: storeOf((raw as RuntimeConfig).approvals),
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

/** A record of requests, which bound nobody to anything, is not taken for a store. */
function storeOf(store: ApprovalStore | undefined): ApprovalStore | undefined {
  if (store === undefined) return undefined;
  const given: unknown = store;
  const isStore =
    isObject(given) &&
    given["sealKey"] instanceof Uint8Array &&
    ["list", "save", "remove"].every((name) => typeof given[name] === "function");
  if (isStore) return store;
  throw optionError("approvals", "a store: sealKey, list, save, remove", store);
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

/** Never root, which can undo what binds others. */
function isUser(value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).length !== 2) return false;
  return [value["uid"], value["gid"]].every((id) => Number.isSafeInteger(id) && Number(id) >= 1);
}

/** Looked up by names from outside, for which `constructor` must not find anything. */
function mapOf<T>(record: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(record));
}
