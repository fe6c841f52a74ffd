/** @module Modules as the validator lets them through, with a policy that allows what the engine has. */
import { allow, refuse } from "@glovebox/core/decision";
import type { Engine } from "@glovebox/core/ports";
import { createWasmValidator, WASM_FEATURES } from "@glovebox/wasm-validator";

import { type Prepare, Refusal } from "./run-script.ts";

const GIB = 1_073_741_824;

const VALIDATOR = createWasmValidator({
  maxModuleBytes: GIB,
  allowedImportPatterns: ["**.**"],
  allowedFeatures: WASM_FEATURES,
  limits: { memoryPages: Number.MAX_SAFE_INTEGER },
  maxCompileCost: Number.MAX_SAFE_INTEGER,
  maxInstantiationCost: Number.MAX_SAFE_INTEGER,
});

/** V8 in this process. */
const ENGINE: Engine = {
  async validate(original) {
    try {
      const module = new WebAssembly.Module(Uint8Array.from(original));
      return allow("spec.engine", {
        imports: WebAssembly.Module.imports(module).map(({ module: from, name, kind }) => ({
          module: from,
          name,
          kind,
        })),
        exports: WebAssembly.Module.exports(module).map(({ name, kind }) => ({ name, kind })),
      });
    } catch (error) {
      return refuse("SPEC_ENGINE", "spec.engine", String(error));
    }
  },
};

/**
 * Validates, and refuses what the validator refuses. A name that could forge a line of a log is
 * refused by policy, whatever the engine says: such a module is noted and goes on as it is.
 */
export function validating(notes: string[]): Prepare {
  return async (original) => {
    const decision = await VALIDATOR.validate(original, ENGINE);
    if (decision.allowed) return { bytes: decision.value.bytes };
    const problem = `${decision.code}: ${decision.reason}`;
    if (decision.code !== "WASM_NAME" || !WebAssembly.validate(original))
      throw new Refusal(problem);
    notes.push(problem);
    return { bytes: original };
  };
}
