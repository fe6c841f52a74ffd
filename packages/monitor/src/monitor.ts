/**
 * @module Watches finished calls: counts them, judges the health of plugins, finds what is abnormal
 * and answers what to do about it, as data (upstream: "Monitoring & Auditing", "Incident Response").
 * It does nothing itself: quarantining and throttling are the runtime's.
 */
import { type Clock, systemClock } from "@glovebox/core/clock";
import { BoundedMap } from "@glovebox/core/flow";
import type { PluginId } from "@glovebox/core/ids";
import type { EventSink } from "@glovebox/core/ports";

import type { Action } from "./action.ts";
import { AlertDispatcher, type AlertSink } from "./alert.ts";
import {
  type FailureRecord,
  isQuarantined,
  judgeCall,
  liftQuarantine,
  newFailureRecord,
} from "./consecutive-failures.ts";
import type { ExecutionMetrics } from "./execution-metrics.ts";
import { type PluginHealth, RecentCalls, judgeHealth } from "./health.ts";
import type { Registry } from "./metrics/registry.ts";
import { type MonitorOptions, parseOptions } from "./options.ts";
import { registerPluginMetrics } from "./plugin-metrics.ts";
import { respond } from "./response.ts";
import { severityOf } from "./severity.ts";

/** What {@link createMonitor} needs from outside. */
export interface MonitorDeps {
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/** Watches plugins. Nothing that it is told makes it throw. */
export interface Monitor extends EventSink, AsyncDisposable {
  /** The metrics, its own and those that others registered. */
  readonly registry: Registry;
  /** Takes a finished call in, and answers what to do: mostly nothing. */
  observe(execution: ExecutionMetrics): readonly Action[];
  /** One plugin's health; one that was never observed has no recent calls. */
  health(pluginId: PluginId): PluginHealth;
  /** The health of every plugin that was observed. */
  healthAll(): readonly PluginHealth[];
  /** Sends alerts there from now on, until the answer is disposed. */
  onAlert(sink: AlertSink): Disposable;
  /** Ends a quarantine that the monitor asked for; `false` when there is none. */
  lift(pluginId: PluginId): boolean;
  /** Forgets a plugin that was unloaded, with its metrics. */
  forget(pluginId: PluginId): void;
  /** Sends no more alerts, and waits for those under way. */
  close(): Promise<void>;
}

interface Watched {
  readonly recent: RecentCalls;
  readonly failures: FailureRecord;
}

/**
 * Makes a monitor.
 *
 * @throws {@link MonitorError} (`MONITOR_OPTION`) for an option outside its range, (`MONITOR_METRIC`)
 * when the registry given is another monitor's.
 *
 * @example
 * ```ts
 * const monitor = createMonitor();
 * for (const action of monitor.observe(execution)) {
 *   if (action.kind === "quarantine") runtime.quarantine(action.pluginId, action.reason);
 * }
 * ```
 */
export function createMonitor(options: MonitorOptions = {}, deps: MonitorDeps = {}): Monitor {
  const clock = deps.clock ?? systemClock;
  const { registry, policy, severities, maxPlugins, maxQuarantinedShare, ...alerting } =
    parseOptions(options);
  const metrics = registerPluginMetrics(registry);
  const alerts = new AlertDispatcher({
    ...alerting,
    clock,
    count: (result) => metrics.alert(result),
  });
  const plugins = new BoundedMap<PluginId, Watched>({ capacity: maxPlugins });

  const watch = (pluginId: PluginId): Watched => {
    const known = plugins.get(pluginId);
    if (known !== undefined) return known;
    const watched = { recent: new RecentCalls(), failures: newFailureRecord() };
    const evicted = plugins.set(pluginId, watched);
    if (evicted !== undefined) metrics.forget(evicted[0]);
    return watched;
  };
  const capHasRoom = (nowMs: number): boolean => {
    let quarantined = 0;
    for (const [, { failures }] of plugins) if (isQuarantined(failures, nowMs)) quarantined += 1;
    return quarantined < Math.max(1, Math.floor(plugins.size * maxQuarantinedShare));
  };
  const healthOf = (pluginId: PluginId, watched: Watched | undefined): PluginHealth => {
    const nowMs = clock.monotonicMs();
    const { calls, failures } = watched?.recent.count(nowMs) ?? { calls: 0, failures: 0 };
    const until = watched?.failures.quarantinedUntilMs ?? -Infinity;
    return judgeHealth(pluginId, { calls, failures, quarantineLeftMs: Math.max(0, until - nowMs) });
  };
  const close = (): Promise<void> => alerts.close();

  return {
    registry,
    observe(execution): readonly Action[] {
      const { pluginId, code } = execution;
      const nowMs = clock.monotonicMs();
      const watched = watch(pluginId);
      metrics.call(execution);
      const severity = code === undefined ? undefined : severityOf(code, severities);
      if (severity === "none") return NO_ACTIONS;
      watched.recent.record(severity !== undefined, nowMs);
      const verdict = judgeCall(watched.failures, severity, nowMs, policy, () => capHasRoom(nowMs));
      if (verdict.kind === "none" || code === undefined) return NO_ACTIONS;
      const { action, alert } = respond(verdict, pluginId, code);
      metrics.action(action);
      alerts.raise({ ...alert, pluginId, code, summary: action.reason });
      return [action];
    },
    onEvent: (scope, event) => metrics.event(scope.pluginId, event),
    health: (pluginId) => healthOf(pluginId, plugins.get(pluginId)),
    healthAll: () => Array.from(plugins, ([pluginId, watched]) => healthOf(pluginId, watched)),
    onAlert: (sink) => alerts.add(sink),
    lift(pluginId): boolean {
      const watched = plugins.get(pluginId);
      return watched !== undefined && liftQuarantine(watched.failures, clock.monotonicMs());
    },
    forget(pluginId): void {
      plugins.delete(pluginId);
      metrics.forget(pluginId);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const NO_ACTIONS: readonly Action[] = Object.freeze([]);
