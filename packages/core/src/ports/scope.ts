/** @module Whom an operation concerns. Every port takes the scope of the call that it serves. */
import type { CallId, PluginId, TenantId } from "../ids/index.ts";

/** Whom an operation concerns; all parts are absent for what concerns the whole host. */
export interface OperationScope {
  readonly pluginId?: PluginId;
  readonly callId?: CallId;
  readonly tenantId?: TenantId;
}

/** The call that a port serves. `signal` is deadline, kill and revocation alike. */
export interface CallScope extends OperationScope {
  readonly pluginId: PluginId;
  readonly callId: CallId;
  readonly signal: AbortSignal;
  readonly meter: Meter;
}

/** What a call has used, counted where it happens. */
export interface Meter {
  add(counter: "networkRequests" | "fileOperations" | "hostCalls", amount: number): void;
}
