/** @module The door of @glovebox/sandbox. */
export { SANDBOX_ERRORS, SandboxError } from "./errors.ts";
export type { SandboxErrorCode } from "./errors.ts";
export type { NamedModuleBytes, RunnerLimits } from "./host/load-plugin.ts";
export type { PluginSpec, RecycleOptions } from "./host/plugin-spec.ts";
export { DEFAULT_MINIMUM_ISOLATION, ISOLATION_LEVELS } from "./isolation-level.ts";
export type { IsolationLayer, IsolationLevel, OuterLayer } from "./isolation-level.ts";
export { MAX_CALL_CPU_MS } from "./limits.ts";
export { ABI_REQUIREMENTS } from "./protocol/abi-requirements.ts";
export type { Abi, AbiRequirements, AllowedImport } from "./protocol/abi-requirements.ts";
export type { ModuleFuel } from "./protocol/instantiate-spec.ts";
export { createSandbox } from "./sandbox.ts";
export type {
  PluginStatus,
  ReservedRunner,
  ReserveRequest,
  Sandbox,
  SandboxDeps,
  SandboxedPlugin,
  SandboxOptions,
  SandboxStatus,
} from "./sandbox.ts";
