/** @module What is told of a plugin: to the one who loaded it, and in `GET /plugins`. */
import type { Broker, QuotaState } from "@glovebox/capability-broker";
import type { GrantId, PluginId } from "@glovebox/core/ids";
import type { PluginManifest } from "@glovebox/manifest-validator";
import type { Monitor, PluginHealth } from "@glovebox/monitor";

import type { Plugin } from "./plugin.ts";
import { type PluginState, shownState } from "./state.ts";

/** A plugin as it is told of. */
export interface PluginInfo {
  readonly id: PluginId;
  /** Absent while the first load is under way, as everything that the manifest says. */
  readonly version?: string;
  readonly name?: string;
  readonly types: PluginManifest["types"];
  readonly state: PluginState;
  /** Why it is in this state, for the operator; absent where nothing is wrong. */
  readonly reason?: string;
  /** Names that can be called. */
  readonly functions: readonly string[];
  /** For {@link PluginRuntime.revoke}. */
  readonly grantId?: GrantId;
  /** What it has used of its grant's totals and folders, and what is left. */
  readonly quotas: readonly QuotaState[];
  /** Who signed it, in the operator's words. */
  readonly publisher?: string;
  /** What was asked for and not granted, and what else an operator should know. */
  readonly warnings: readonly string[];
  readonly health: PluginHealth["status"];
  /** Processes that it has now, and calls that wait or run in them. */
  readonly processes: number;
  readonly pendingCalls: number;
}

/** Describes a plugin as it is now. */
export function describePlugin(
  plugin: Plugin,
  monitor: Pick<Monitor, "health">,
  broker: Pick<Broker, "quotas">,
): PluginInfo {
  const { id, state, reason, generation } = plugin;
  const health = monitor.health(id).status;
  if (generation === undefined) {
    const none = { types: [], functions: [], quotas: [], warnings: [] };
    const nothing = { ...none, processes: 0, pendingCalls: 0 };
    return { id, state, ...nothing, health, ...(reason === undefined ? {} : { reason }) };
  }
  const { manifest, sandboxed, grant, publisher, warnings } = generation;
  const { runners, pending } = sandboxed.status();
  return {
    id,
    version: manifest.version,
    ...(manifest.name === undefined ? {} : { name: manifest.name }),
    types: manifest.types,
    state: shownState(state, runners),
    ...(reason === undefined ? {} : { reason }),
    functions: sandboxed.functions,
    grantId: grant.id,
    quotas: broker.quotas(grant),
    ...(publisher === undefined ? {} : { publisher }),
    warnings,
    health,
    processes: runners,
    pendingCalls: pending,
  };
}
