/** @module The door of the monitor: health, anomalies, alerts, and actions as data. */
export type { Action, ActionBase, NoteAction, QuarantineAction, ThrottleAction } from "./action.ts";
export type { Alert, AlertSeverity, AlertSink, AnomalyType } from "./alert.ts";
export { MONITOR_ERRORS, MonitorError } from "./errors.ts";
export type { MonitorErrorCode } from "./errors.ts";
export type { ExecutionMetrics } from "./execution-metrics.ts";
export type { HealthStatus, PluginHealth } from "./health.ts";
export { createMonitor } from "./monitor.ts";
export type { Monitor, MonitorDeps } from "./monitor.ts";
export type { MonitorOptions } from "./options.ts";
export { SEVERITIES } from "./severity.ts";
export type { Severity } from "./severity.ts";
