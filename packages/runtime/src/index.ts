/** @module The door of the runtime: the whole system behind one class. */
export type {
  ApprovalOrder,
  ApprovalOverview,
  ApprovedRequest,
  PendingApproval,
} from "./approval/approval-desk.ts";
export type { ApprovalStore } from "./approval-store.ts";
export type { CallContext, CallOptions } from "./call/context.ts";
export type {
  AuditDurability,
  AuditOptions,
  ResourceOptions,
  RuntimeConfig,
  SecurityOptions,
  ValidationOptions,
} from "./options.ts";
export type { Logger, RuntimeDeps } from "./deps.ts";
export { RUNTIME_ERRORS, RuntimeError } from "./errors.ts";
export type { RuntimeErrorCode } from "./errors.ts";
export type { PluginSource } from "./load/load-plugin.ts";
export type { PackageLimits, PluginPackage } from "./package/plugin-package.ts";
export { readPackage } from "./package/read-package.ts";
export type { PluginInfo } from "./plugin/plugin-info.ts";
export type { PluginState } from "./plugin/state.ts";
export { PluginRuntime } from "./runtime.ts";
export type { LoadResult } from "./runtime.ts";
export type { RuntimeStatus } from "./status.ts";
