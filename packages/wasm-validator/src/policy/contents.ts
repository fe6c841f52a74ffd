/** @module Decides on what is in a module: limits, proposals, start function, custom sections, costs. */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import type { ModuleFacts } from "../facts/module-facts.ts";
import type { ModuleSection } from "../facts/sections.ts";
import { decideFeatures } from "./features.ts";
import { decideStructure } from "./structure-limits.ts";
import type { CompiledPolicy } from "./wasm-policy.ts";

/** The first rule that refuses, or an allowance. */
export function decideContents(
  facts: ModuleFacts,
  sections: readonly ModuleSection[],
  policy: CompiledPolicy,
): Decision<void> {
  const structure = decideStructure(facts, policy.limits);
  if (!structure.allowed) return structure;
  const features = decideFeatures(facts.features, policy.features);
  if (!features.allowed) return features;
  if (facts.start !== null && !policy.allowsStart) {
    return refuse("WASM_START", "wasm.start", `function ${facts.start} runs at instantiation`);
  }
  const unwanted = sections.find(({ id, name }) => id === 0 && !policy.allowsCustomSection(name));
  if (unwanted !== undefined) {
    const reason = `the custom section ${received(unwanted.name)} (at byte ${unwanted.offset}) is not allowed`;
    return refuse("WASM_CUSTOM_SECTION", "wasm.customSections", reason);
  }
  const { compile, instantiate } = facts.costs;
  if (compile > policy.maxCompileCost) {
    const reason = `compiling costs ${compile} units; at most ${policy.maxCompileCost} are allowed`;
    return refuse("WASM_COMPILE_COST", "wasm.compileCost", reason);
  }
  if (instantiate > policy.maxInstantiationCost) {
    const reason = `instantiating costs ${instantiate} units; at most ${policy.maxInstantiationCost} are allowed`;
    return refuse("WASM_INSTANTIATION_COST", "wasm.instantiationCost", reason);
  }
  return allow("wasm.contents", undefined);
}
