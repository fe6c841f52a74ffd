/**
 * @module The health of one plugin from its recent calls (upstream: "Plugin Health Checks"). It looks
 * back on a number of calls and on a span of time, so that neither an old failure nor a busy minute
 * decides alone.
 */
import type { PluginId } from "@glovebox/core/ids";

import {
  DEGRADED_SHARE,
  HEALTH_MIN_CALLS,
  HEALTH_WINDOW_CALLS,
  HEALTH_WINDOW_MS,
  UNHEALTHY_SHARE,
} from "./limits.ts";

/** How a plugin does. */
export type HealthStatus = "healthy" | "degraded" | "unhealthy";

/** The health of one plugin. */
export interface PluginHealth {
  readonly pluginId: PluginId;
  readonly status: HealthStatus;
  /** One sentence on why. */
  readonly message: string;
  /** Calls looked back on: the last 20, of the last five minutes. */
  readonly recentCalls: number;
  readonly recentFailures: number;
  /** Whether the monitor has asked for a quarantine that has not ended. */
  readonly quarantined: boolean;
}

/** The last calls of a plugin, in a ring. */
export class RecentCalls {
  readonly #atMs = new Float64Array(HEALTH_WINDOW_CALLS).fill(-Infinity);
  readonly #failed = new Uint8Array(HEALTH_WINDOW_CALLS);
  #next = 0;

  record(failed: boolean, nowMs: number): void {
    this.#atMs[this.#next] = nowMs;
    this.#failed[this.#next] = failed ? 1 : 0;
    this.#next = (this.#next + 1) % HEALTH_WINDOW_CALLS;
  }

  /** Calls and failures that are not too old. */
  count(nowMs: number): { readonly calls: number; readonly failures: number } {
    let calls = 0;
    let failures = 0;
    for (let i = 0; i < HEALTH_WINDOW_CALLS; i += 1) {
      if (nowMs - (this.#atMs[i] ?? -Infinity) > HEALTH_WINDOW_MS) continue;
      calls += 1;
      failures += this.#failed[i] ?? 0;
    }
    return { calls, failures };
  }
}

/** What {@link judgeHealth} looks at. */
export interface HealthEvidence {
  readonly calls: number;
  readonly failures: number;
  /** Milliseconds of quarantine left: 0 for none, `Infinity` until somebody lifts it. */
  readonly quarantineLeftMs: number;
}

/** Judges a plugin's health. */
export function judgeHealth(pluginId: PluginId, evidence: HealthEvidence): PluginHealth {
  const { calls, failures, quarantineLeftMs } = evidence;
  const quarantined = quarantineLeftMs > 0;
  const [status, message] = verdict(calls, failures, quarantineLeftMs);
  return { pluginId, status, message, recentCalls: calls, recentFailures: failures, quarantined };
}

function verdict(
  calls: number,
  failures: number,
  quarantineLeftMs: number,
): readonly [HealthStatus, string] {
  if (quarantineLeftMs === Infinity)
    return ["unhealthy", "Plugin is quarantined until it is lifted"];
  if (quarantineLeftMs > 0) {
    return ["unhealthy", `Plugin is quarantined for ${Math.ceil(quarantineLeftMs / 1000)} s more`];
  }
  if (calls === 0) return ["healthy", "No recent calls to judge by"];
  const share = failures / calls;
  const failed = `${failures} of ${calls} recent calls failed`;
  if (calls >= HEALTH_MIN_CALLS && share >= UNHEALTHY_SHARE) return ["unhealthy", failed];
  if (share >= DEGRADED_SHARE) return ["degraded", failed];
  return ["healthy", "Plugin is responding normally"];
}
