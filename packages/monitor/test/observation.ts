/** @module What the tests of the monitor share: finished calls, and sinks to watch. */
import { type PluginId, parsePluginId } from "@glovebox/core/ids";
import type { Action, Alert, AlertSink, ExecutionMetrics, Monitor } from "@glovebox/monitor";

export function plugin(id: string): PluginId {
  const decision = parsePluginId(id);
  if (decision.allowed) return decision.value;
  throw new Error(decision.reason);
}

/** A finished call; without a code it succeeded. */
export function finished(pluginId: PluginId, code?: string): ExecutionMetrics {
  return {
    pluginId,
    startTimeMs: 1_767_225_600_000,
    wallTimeMs: 20,
    cpuTimeMs: 5,
    memoryUsedBytes: 65_536,
    networkRequests: 1,
    filesystemAccess: 2,
    ...(code === undefined ? {} : { code }),
  };
}

/** Observes the same outcome several times; answers all actions. */
export function observe(
  monitor: Monitor,
  pluginId: PluginId,
  times: number,
  code?: string,
): Action[] {
  return Array.from({ length: times }, () => monitor.observe(finished(pluginId, code))).flat();
}

/** A sink that keeps what it gets. */
export function recordingSink(): AlertSink & { readonly alerts: Alert[] } {
  const alerts: Alert[] = [];
  return {
    alerts,
    send: async (alert) => {
      alerts.push(alert);
    },
  };
}
