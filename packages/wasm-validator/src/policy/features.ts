/** @module Which proposals a module may use. */
import { allow, type Decision, refuse } from "@glovebox/core/decision";

import { WasmError } from "../errors.ts";
import { WASM_FEATURES, type WasmFeature } from "../facts/features.ts";

/**
 * All but `gc`: objects of WebAssembly's collector lie in the engine's heap, which no memory limit
 * of a module bounds. Allow it where the process that runs the module has a heap limit.
 */
export const DEFAULT_FEATURES: readonly WasmFeature[] = Object.freeze(
  WASM_FEATURES.filter((feature) => feature !== "gc"),
);

/** @throws {@link WasmError} (`WASM_POLICY`) for an unknown feature. */
export function parseFeatures(features: readonly WasmFeature[]): ReadonlySet<WasmFeature> {
  for (const feature of features) {
    if (WASM_FEATURES.includes(feature)) continue;
    const message = `there is no feature called ${feature}; there are ${WASM_FEATURES.join(", ")}`;
    throw new WasmError("WASM_POLICY", { message });
  }
  return new Set(features);
}

/** Refuses a module that uses a proposal which is not allowed; all of them are named. */
export function decideFeatures(
  used: readonly WasmFeature[],
  allowed: ReadonlySet<WasmFeature>,
): Decision<void> {
  const refused = used.filter((feature) => !allowed.has(feature));
  return refused.length === 0
    ? allow("wasm.features", undefined)
    : refuse("WASM_FEATURE", "wasm.features", `the module uses ${refused.join(", ")}`);
}
