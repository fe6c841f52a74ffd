/**
 * @module The scope of one call, with an abort controller that the test holds and a meter that can
 * be read back.
 */
import type { Decision } from "@glovebox/core/decision";
import { type CallId, newCallId, parsePluginId, parseTenantId } from "@glovebox/core/ids";
import type { CallScope, Meter } from "@glovebox/core/ports";

import { TestkitError } from "../errors.ts";

/** A counter of {@link CountingMeter}. */
export type MeterCounter = Parameters<Meter["add"]>[0];

/** A meter that shows what was counted. */
export interface CountingMeter extends Meter {
  readonly counts: Readonly<Record<MeterCounter, number>>;
}

/** A call's scope in the hands of a test. */
export interface TestCallScope extends CallScope {
  readonly meter: CountingMeter;
  /** Aborts `signal`: deadline, kill and revocation alike. */
  readonly controller: AbortController;
}

/** What to set; ids are plain strings and are parsed. */
export interface CallScopeOverrides {
  /** Default: `test-plugin`. */
  readonly pluginId?: string;
  /** Default: a new random id. */
  readonly callId?: CallId;
  /** Default: left out. */
  readonly tenantId?: string;
  /** A signal that aborts the call too. Default: only the controller does. */
  readonly signal?: AbortSignal;
  /** A meter that is told as well. Default: none. */
  readonly meter?: Meter;
}

/**
 * Makes the scope of one call.
 *
 * @throws {@link TestkitError} (`TESTKIT_SCOPE`) for a string that is not an id.
 *
 * @example
 * ```ts
 * const scope = callScope({ pluginId: "rate-table" });
 * scope.controller.abort(new Error("revoked"));
 * ```
 */
export function callScope(overrides: CallScopeOverrides = {}): TestCallScope {
  const controller = new AbortController();
  const { signal, tenantId } = overrides;
  return {
    pluginId: parsed(parsePluginId(overrides.pluginId ?? "test-plugin")),
    callId: overrides.callId ?? newCallId(),
    ...(tenantId !== undefined && { tenantId: parsed(parseTenantId(tenantId)) }),
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    meter: countingMeter(overrides.meter),
    controller,
  };
}

function countingMeter(also?: Meter): CountingMeter {
  const counts: Record<MeterCounter, number> = {
    networkRequests: 0,
    fileOperations: 0,
    hostCalls: 0,
  };
  return {
    counts,
    add(counter, amount) {
      counts[counter] += amount;
      also?.add(counter, amount);
    },
  };
}

function parsed<T>(decision: Decision<T>): T {
  if (decision.allowed) return decision.value;
  throw new TestkitError("TESTKIT_SCOPE", { message: decision.reason });
}
