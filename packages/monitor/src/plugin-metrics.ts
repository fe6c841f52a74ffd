/** @module The metrics that the monitor keeps of plugins, alerts and security events, by name. */
import type { PluginId } from "@glovebox/core/ids";
import type { AuditEvent } from "@glovebox/core/ports";

import type { Action } from "./action.ts";
import type { AlertResult } from "./alert.ts";
import type { ExecutionMetrics } from "./execution-metrics.ts";
import type { Registry } from "./metrics/registry.ts";

/** The value of `code` for a call that succeeded, and for an event without a code. */
const NO_CODE = "OK";

/** Counts what the monitor hears and does. */
export interface PluginMetrics {
  call(execution: ExecutionMetrics): void;
  event(pluginId: PluginId | undefined, event: AuditEvent): void;
  action(action: Action): void;
  alert(result: AlertResult): void;
  forget(pluginId: PluginId): void;
}

/**
 * Registers the metrics.
 *
 * @throws {@link MonitorError} (`MONITOR_METRIC`) when the registry has one of these names already.
 */
export function registerPluginMetrics(registry: Registry): PluginMetrics {
  const counter = (name: string, help: string, ...labels: string[]) =>
    registry.counter({ name: `glovebox_${name}`, help, labels });
  const gauge = (name: string, help: string) =>
    registry.gauge({ name: `glovebox_${name}`, help, labels: ["plugin"] });

  const calls = counter("plugin_calls_total", "Finished calls by code.", "plugin", "code");
  const duration = registry.histogram({
    name: "glovebox_plugin_call_duration_seconds",
    help: "Real time of calls from their start in the runner.",
    labels: ["plugin"],
  });
  const cpu = counter("plugin_cpu_seconds_total", "CPU time of calls, where measured.", "plugin");
  const instructions = counter(
    "plugin_instructions_total",
    "Instructions of calls, counted or estimated, where measured.",
    "plugin",
  );
  const network = counter("plugin_network_requests_total", "Network requests of calls.", "plugin");
  const files = counter("plugin_file_operations_total", "File operations of calls.", "plugin");
  const memory = gauge("plugin_memory_peak_bytes", "Memory peak of the last call measured.");
  const lastCall = gauge("plugin_last_call_timestamp_seconds", "Start of the last call.");
  const events = counter("events_total", "Security events by kind and outcome.", "kind", "success");
  const denials = counter("plugin_denials_total", "Denied events by code.", "plugin", "code");
  const actions = counter("monitor_actions_total", "Actions asked for.", "plugin", "kind");
  const alerts = counter("monitor_alerts_total", "Alerts by what became of them.", "result");

  return {
    call(execution): void {
      const plugin = [execution.pluginId];
      calls.increment([execution.pluginId, execution.code ?? NO_CODE]);
      duration.observe(plugin, execution.wallTimeMs / 1000);
      if (execution.cpuTimeMs !== null) cpu.increment(plugin, execution.cpuTimeMs / 1000);
      if (typeof execution.instructions === "number") {
        instructions.increment(plugin, execution.instructions);
      }
      if (execution.memoryUsedBytes !== null) memory.set(plugin, execution.memoryUsedBytes);
      network.increment(plugin, execution.networkRequests);
      files.increment(plugin, execution.filesystemAccess);
      lastCall.set(plugin, execution.startTimeMs / 1000);
    },
    event(pluginId, event): void {
      events.increment([event.kind, String(event.success)]);
      if (!event.success && pluginId !== undefined) {
        denials.increment([pluginId, event.code ?? NO_CODE]);
      }
    },
    action: ({ pluginId, kind }) => actions.increment([pluginId, kind]),
    alert: (result) => alerts.increment([result]),
    forget: (pluginId) => void registry.removeSeries("plugin", pluginId),
  };
}
