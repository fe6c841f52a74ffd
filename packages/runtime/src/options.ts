/**
 * @module What a runtime can be told: the specification's `PluginLoaderConfig` in camelCase, and our
 * own. Types only; config.ts checks them and fills in the defaults.
 */
import type { AuditorOptions, Sink } from "@glovebox/auditor";
import type { HostPolicy } from "@glovebox/capability-broker";
import type { HostFunction } from "@glovebox/core/ports";
import type { BudgetOptions } from "@glovebox/limiter";
import type { IsolationLevel, SandboxOptions } from "@glovebox/sandbox";
import type { TrustedKey } from "@glovebox/signer";

import type { ApprovalStore } from "./approval-store.ts";
import type { RuntimeDeps } from "./deps.ts";

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
  /** The level that runners have to prove. Default `strict` on Linux (x64, arm64), `permission` elsewhere; any below is a loosening. */
  readonly minimumIsolation?: IsolationLevel;
  /** The user that plugins' processes become, by number; `host`, a loosening: they stay the host's. Default: nobody where the host is root. */
  readonly runnerUser?: SandboxOptions["runnerUser"];
  /** What stands around plugins' processes besides the filter. Default: bubblewrap, else Landlock, whichever works first; `none`, a loosening. */
  readonly outerLayer?: SandboxOptions["outerLayer"];
}

/** What plugins and calls may use. */
export interface ResourceOptions {
  /** Linear memory of a plugin that asks for none, and the most that one gets without `policy.resources`. Default: 64 MiB. */
  readonly defaultMemoryLimitBytes?: number;
  /** Milliseconds of CPU time of one call, as above, at most 60,000. Default: 5,000. */
  readonly defaultCpuLimitMs?: number;
  /** Instructions of one call, in units of fuel, as above. Default: 100,000,000,000. */
  readonly defaultInstructionLimit?: number;
  /** Instructions over time of each plugin, each tenant and the host, as `{ capacity, perSecond }`. Default: no limit. */
  readonly instructionBudgets?: Pick<BudgetOptions, "plugin" | "tenant" | "host">;
  /** Milliseconds of real time of one call, host calls included. Default: 30,000. */
  readonly defaultWallLimitMs?: number;
  /** Plugins that may be loaded at once, at least 1. Default: 64. */
  readonly maxConcurrentPlugins?: number;
  /** Processes of plugins at once, at least 1; above them plugins take turns. Default: the sandbox's, 64. */
  readonly maxRunners?: number;
  /** Milliseconds without a call after which a plugin gives its processes back; 0: only when others want them. Default: the sandbox's, 60,000. */
  readonly sleepAfterMs?: number;
  /** Calls that run at once on this host, at least 1. Default: 64. */
  readonly maxConcurrentCalls?: number;
  /** Calls of one plugin that run at once, at least 1. Default: 8. */
  readonly maxConcurrentCallsPerPlugin?: number;
  /** Calls per second of one plugin. Default: no limit. */
  readonly callsPerSecond?: number;
  /** Calls of one plugin that may come at once where `callsPerSecond` is set. Default: 1. */
  readonly callBurst?: number;
  /** Calls per second of one tenant across plugins. Default: no limit. */
  readonly tenantCallsPerSecond?: number;
  /** Calls of one tenant that may come at once where `tenantCallsPerSecond` is set. Default: 1. */
  readonly tenantCallBurst?: number;
  /** Calls that wait for one of `maxConcurrentCalls`; 0: none waits. Default: 256. */
  readonly maxQueuedCalls?: number;
  /** Calls of one plugin that wait; 0: none waits. Default: 64. */
  readonly maxQueuedCallsPerPlugin?: number;
  /** Milliseconds that a call waits for its turn. Default: 1,000. */
  readonly maxQueueWaitMs?: number;
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

/** The audit log. What is not named here is the auditor's own option, and checked by it. */
export interface AuditOptions extends Partial<Omit<AuditorOptions, "durability">> {
  /** Directory of the audit log; needed unless auditing is off or `deps.decisionLog` is given. */
  readonly directory?: string;
  /** Default `return`; `async` is a loosening. */
  readonly auditDurability?: AuditDurability;
  /** Default `encrypted`, by person; `clear`, a loosening: nobody can be erased from the log. */
  readonly personalData?: "encrypted" | "clear";
  /** Wraps the keys of persons, 32 bytes from a secret store. Default: a file beside the keys. */
  readonly wrappingKey?: Uint8Array;
  /** Where every event is sent besides, from where each left off. The runtime disposes of them. Default: none. */
  readonly sinks?: readonly Sink[];
}

/** Everything that {@link PluginRuntime.open} can be told. */
export interface RuntimeConfig {
  /** What is checked, and how well plugins must be locked in. Default: everything, at its strictest. */
  readonly security?: SecurityOptions;
  /** How much plugins and their calls may use. */
  readonly resources?: ResourceOptions;
  /** What a package must be like to be loaded. */
  readonly validation?: ValidationOptions;
  /** Where the audit log is, and what a call waits for. */
  readonly audit?: AuditOptions;
  /** What the host allows. Default: nothing. */
  readonly policy?: HostPolicy;
  /** Keeps what operators approved: then a plugin that asks for a capability waits for an approval. Default: the policy alone decides. */
  readonly approvals?: ApprovalStore;
  /** Whose signatures count. Default: nobody's. */
  readonly trust?: { readonly trustedKeys: readonly TrustedKey[] };
  /** Functions that plugins may import from `extism:host/user`. Default: none. */
  readonly hostFunctions?: Readonly<Record<string, HostFunction>>;
  /** Plugin id → the configuration that the plugin can read. Default: none. */
  readonly pluginConfig?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** `shareRunners` (default false), a loosening: tenants may meet in one process. */
  readonly tenancy?: { readonly shareRunners?: boolean };
  /** Clock, logger and what else may be replaced. */
  readonly deps?: RuntimeDeps;
}

/** The options with their defaults. */
export interface ParsedConfig {
  readonly security: Required<Omit<SecurityOptions, "runnerUser" | "outerLayer">> &
    Pick<SecurityOptions, "runnerUser" | "outerLayer">;
  readonly resources: Required<Omit<ResourceOptions, ModuleOption>> &
    Pick<ResourceOptions, ModuleOption>;
  readonly validation: Required<ValidationOptions>;
  readonly audit: AuditOptions &
    Required<Pick<AuditOptions, "auditDurability" | "personalData" | "sinks">>;
  readonly policy: HostPolicy;
  readonly approvals: ApprovalStore | undefined;
  readonly trustedKeys: readonly TrustedKey[];
  readonly hostFunctions: ReadonlyMap<string, HostFunction>;
  readonly pluginConfig: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly shareRunners: boolean;
  readonly deps: RuntimeDeps;
  /** Names of the options whose values are weaker than their defaults. */
  readonly loosened: readonly string[];
}

/** The options that only their module has defaults for. */
type ModuleOption =
  | "maxRunners"
  | "sleepAfterMs"
  | "maxConcurrentCalls"
  | "maxConcurrentCallsPerPlugin"
  | "callsPerSecond"
  | "callBurst"
  | "tenantCallsPerSecond"
  | "tenantCallBurst"
  | "maxQueuedCalls"
  | "maxQueuedCallsPerPlugin"
  | "maxQueueWaitMs";
