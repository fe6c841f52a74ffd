/**
 * @module The one anomaly rule: failures in a row that are the plugin's own fault lead to quarantine,
 * and a sandbox violation leads there at once (upstream: "Detection & Alerting"). Modelled on Envoy's
 * outlier detection: time grows with repeats, long good conduct is forgiven, and the share of plugins
 * in automatic quarantine is capped, because many that fail together point at their host.
 *
 * Time comes in as an argument; nothing here waits.
 */
import type { Severity } from "./severity.ts";
import { POINTS } from "./severity.ts";

/** The numbers of the rule. */
export interface FailurePolicy {
  readonly failureThreshold: number;
  readonly baseQuarantineMs: number;
  readonly maxQuarantineMs: number;
  readonly forgiveAfterMs: number;
}

/** What the rule remembers of a plugin. */
export interface FailureRecord {
  /** Points since the last success. */
  points: number;
  /** Quarantines that are not forgiven yet. */
  repeats: number;
  /** Monotonic end of the quarantine, past or future; `Infinity` until it is lifted. */
  quarantinedUntilMs: number;
}

/** What the rule says after a call. */
export type Verdict =
  | { readonly kind: "none" }
  | { readonly kind: "warning"; readonly points: number }
  | { readonly kind: "violation" }
  | { readonly kind: "failures"; readonly points: number; readonly durationMs: number }
  | { readonly kind: "capped"; readonly points: number; readonly durationMs: number };

const NOTHING: Verdict = Object.freeze({ kind: "none" });

/** A plugin's record before its first call. */
export function newFailureRecord(): FailureRecord {
  return { points: 0, repeats: 0, quarantinedUntilMs: -Infinity };
}

/** Whether the plugin's quarantine has not ended. */
export function isQuarantined(record: FailureRecord, nowMs: number): boolean {
  return record.quarantinedUntilMs > nowMs;
}

/**
 * Judges one call, and updates the record. `severity` is `undefined` for a success; `mayQuarantine`
 * is asked only when it matters, and says whether the cap has room.
 */
export function judgeCall(
  record: FailureRecord,
  severity: Severity | undefined,
  nowMs: number,
  policy: FailurePolicy,
  mayQuarantine: () => boolean,
): Verdict {
  if (severity === "violation") {
    // Also during a quarantine that would end by itself; never twice.
    if (record.quarantinedUntilMs === Infinity) return NOTHING;
    record.points = 0;
    record.quarantinedUntilMs = Infinity;
    return { kind: "violation" };
  }
  // Calls that were under way when the quarantine began have been judged with it.
  if (isQuarantined(record, nowMs)) return NOTHING;
  if (severity === undefined) {
    record.points = 0;
    return NOTHING;
  }
  const before = record.points;
  record.points += POINTS[severity];
  if (record.points < policy.failureThreshold) {
    const warnAt = Math.ceil(policy.failureThreshold / 2);
    return before < warnAt && record.points >= warnAt
      ? { kind: "warning", points: record.points }
      : NOTHING;
  }
  const { points } = record;
  record.points = 0;
  const repeats = unforgiven(record, nowMs, policy);
  const durationMs = Math.min(policy.baseQuarantineMs * (repeats + 1), policy.maxQuarantineMs);
  if (!mayQuarantine()) return { kind: "capped", points, durationMs };
  record.repeats = repeats + 1;
  record.quarantinedUntilMs = nowMs + durationMs;
  return { kind: "failures", points, durationMs };
}

/** Ends a quarantine early; `false` when there was none. Repeats are kept: lifting is no acquittal. */
export function liftQuarantine(record: FailureRecord, nowMs: number): boolean {
  if (!isQuarantined(record, nowMs)) return false;
  record.quarantinedUntilMs = nowMs;
  return true;
}

/** Earlier quarantines, less one for each span of freedom since the last ended. */
function unforgiven(record: FailureRecord, nowMs: number, policy: FailurePolicy): number {
  if (record.repeats === 0) return 0;
  const forgiven = Math.floor((nowMs - record.quarantinedUntilMs) / policy.forgiveAfterMs);
  return Math.max(0, record.repeats - forgiven);
}
