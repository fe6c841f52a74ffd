/** @module What the HTTP side needs of a runtime; a test gives its own. */
import type { PluginRuntime } from "@glovebox/runtime";

/** A runtime as the HTTP side sees it. */
export type RuntimePort = Pick<
  PluginRuntime,
  | "approvals"
  | "approve"
  | "executePluginFunction"
  | "list"
  | "metricsText"
  | "revokeApproval"
  | "status"
>;
