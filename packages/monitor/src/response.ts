/** @module What follows from a verdict: one action for the runtime, one alert for people. */
import type { PluginId } from "@glovebox/core/ids";

import type { Action } from "./action.ts";
import type { AlertSeverity, AnomalyType } from "./alert.ts";
import type { Verdict } from "./consecutive-failures.ts";
import { CAPPED_THROTTLE_LEVEL } from "./limits.ts";

const FAILURES_RULE = "monitor.consecutive-failures";
const VIOLATION_RULE = "monitor.sandbox-violation";

/** An action, and the alert that goes with it. */
export interface Response {
  readonly action: Action;
  readonly alert: { readonly anomalyType: AnomalyType; readonly severity: AlertSeverity };
}

/** Answers a verdict. */
export function respond(
  verdict: Exclude<Verdict, { readonly kind: "none" }>,
  pluginId: PluginId,
  code: string,
): Response {
  const about = { pluginId, code };
  if (verdict.kind === "violation") {
    const reason = `${code} is a violation of the sandbox; quarantined until it is lifted`;
    return {
      action: { kind: "quarantine", ...about, rule: VIOLATION_RULE, reason, durationMs: null },
      alert: { anomalyType: "sandbox-violation", severity: "critical" },
    };
  }
  const failed = `${verdict.points} points of failure without a success, the last for ${code}`;
  const rule = FAILURES_RULE;
  if (verdict.kind === "warning") {
    return {
      action: { kind: "note", ...about, rule, reason: failed },
      alert: { anomalyType: "failure-warning", severity: "low" },
    };
  }
  const { durationMs } = verdict;
  if (verdict.kind === "failures") {
    const reason = `${failed}; quarantined for ${durationMs} ms`;
    return {
      action: { kind: "quarantine", ...about, rule, reason, durationMs },
      alert: { anomalyType: "consecutive-failures", severity: "high" },
    };
  }
  const reason = `${failed}; only throttled, as too many plugins are in quarantine: look at the host`;
  return {
    action: { kind: "throttle", ...about, rule, reason, level: CAPPED_THROTTLE_LEVEL, durationMs },
    alert: { anomalyType: "quarantine-cap", severity: "critical" },
  };
}
