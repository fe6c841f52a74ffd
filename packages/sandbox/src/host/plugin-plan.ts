/** @module From what the host application said of a plugin to what its runners need. */
import { createGcra, type Gcra } from "@glovebox/core/flow";
import { newCallId, type PluginId } from "@glovebox/core/ids";
import type { CallScope } from "@glovebox/core/ports";

import { DEFAULT_CLOCK_RESOLUTION_NS, DEFAULT_PLUGIN_RUNNERS, MAX_CALL_CPU_MS } from "../limits.ts";
import type { RunnerLimits } from "./load-plugin.ts";
import type { ModuleStore } from "./module-store.ts";
import type { GenerationSpec } from "./plugin-generation.ts";
import type { PluginSpec } from "./plugin-spec.ts";
import { recyclePolicy } from "./recycle-policy.ts";
import type { RunnerPool } from "./runner-pool.ts";

/**
 * A limit that is no number would be no limit, since NaN is never exceeded; nor would a CPU time that
 * the runner's whole life does not have.
 */
export function problemOfLimits(limits: RunnerLimits): string | undefined {
  const bad = Object.entries(limits).find(([, value]) => !Number.isFinite(value) || value < 0);
  if (bad !== undefined) return `${bad[0]} must be a number from 0, received ${bad[1]}`;
  if (limits.cpuMs > MAX_CALL_CPU_MS)
    return `cpuMs must be at most ${MAX_CALL_CPU_MS}, received ${limits.cpuMs}`;
  if (!Number.isSafeInteger(limits.instructions))
    return `instructions must be a whole number, received ${limits.instructions}`;
  if (limits.hostCallsPerSecond > 0) return undefined;
  return "hostCallsPerSecond must be above 0; hostCalls: 0 allows none";
}

/** What is settled before a plugin's modules are known. */
export interface PluginPlan {
  readonly pluginId: PluginId;
  readonly limits: RunnerLimits;
  readonly group: { maxRunners: number };
  readonly pool: RunnerPool;
  readonly store: ModuleStore;
}

/** Half of a plugin without fuel would run for nothing. */
export function problemOfModules(modules: PluginSpec["modules"]): string | undefined {
  const metered = modules.filter(({ fuel }) => fuel !== undefined).length;
  if (metered === 0 || metered === modules.length) return undefined;
  return `all modules of a plugin have fuel or none; received ${metered} of ${modules.length}`;
}

/** All that a plugin's runners need. */
export function generationSpec(plan: PluginPlan, spec: PluginSpec): GenerationSpec {
  const { limits, group, pool, store } = plan;
  group.maxRunners = spec.maxRunners ?? DEFAULT_PLUGIN_RUNNERS;
  return {
    instantiate: {
      abi: spec.abi,
      modules: spec.modules.map(({ name, fuel }) =>
        fuel === undefined ? { name } : { name, fuel },
      ),
      freshInstances: spec.instance === "call",
      hostFunctions: [...spec.services.functions].map(([name, { parameters, result }]) => ({
        name,
        parameters,
        result,
      })),
      config: Object.fromEntries(spec.services.config),
      folders: spec.services.files.folders,
      args: spec.args ?? [],
      clockResolutionNs: spec.clockResolutionNs ?? DEFAULT_CLOCK_RESOLUTION_NS,
    },
    limits,
    services: spec.services,
    startScope: startScope(plan.pluginId),
    hostCallRate: hostCallRate(limits),
    group,
    runnersPerTenant: spec.runnersPerTenant ?? 1,
    shareRunners: spec.shareRunners ?? false,
    recycle: recyclePolicy(limits, spec.recycle),
    pool,
    store,
  };
}

function hostCallRate({ hostCallsPerSecond }: RunnerLimits): Gcra {
  return createGcra({ ratePerSecond: hostCallsPerSecond, burst: hostCallsPerSecond });
}

/** Start functions and initialisers run on nobody's behalf: host calls there belong to no tenant. */
function startScope(pluginId: PluginId): CallScope {
  return {
    pluginId,
    callId: newCallId(),
    signal: new AbortController().signal,
    meter: { add: () => undefined },
  };
}
