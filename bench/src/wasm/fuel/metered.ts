/** @module Metering a module for a bench: limits that nothing meets, and fuel that lasts. */
import { createHash } from "node:crypto";

import type { Sha256 } from "@glovebox/core/ids";
import { type MeteredModule, meterModule, type Placement } from "@glovebox/wasm-metering";

/** What no bench spends. */
export const BUDGET = 2n ** 62n;

/** The metered module. */
export function metered(bytes: Uint8Array, placement: Placement = "merged"): MeteredModule {
  const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;
  const decision = meterModule(
    { bytes, sha256, verdict: {} },
    { placement, maxMemoryPages: 65_536, maxTableElements: 1_000_000 },
  );
  if (!decision.allowed) throw new Error(`${decision.code}: ${decision.reason}`);
  return decision.value;
}

/** Fills up an instance of it, and runs its start function. */
export function fuel(instance: WebAssembly.Instance, module: MeteredModule): WebAssembly.Instance {
  (instance.exports[module.fuelExport] as unknown as { value: bigint }).value = BUDGET;
  if (module.startExport !== undefined) (instance.exports[module.startExport] as () => void)();
  return instance;
}
