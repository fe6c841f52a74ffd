/** @module The door of @glovebox/wasm-validator. */
export { WASM_ERRORS, WasmError } from "./errors.ts";
export type { WasmErrorCode } from "./errors.ts";
export type { Claims, Dependency, Producer } from "./facts/custom-sections.ts";
export type { ModuleDefect } from "./facts/defect.ts";
export { WASM_FEATURES } from "./facts/features.ts";
export type { WasmFeature } from "./facts/features.ts";
export type { CodeFacts, Extreme, FunctionFacts } from "./facts/function-facts.ts";
export type {
  Bounds,
  CountedThing,
  MemoryFacts,
  ModuleFacts,
  TableFacts,
} from "./facts/module-facts.ts";
export type { TypedExport, TypedImport } from "./facts/names.ts";
export type { ModuleSection } from "./facts/sections.ts";
export type { ImportPattern } from "./policy/import-pattern.ts";
export type { AbiRequirements } from "./policy/requirements.ts";
export type { StructureLimits } from "./policy/structure-limits.ts";
export type { WasmPolicy } from "./policy/wasm-policy.ts";
export type { Finding } from "./report/findings.ts";
export { describeModule } from "./report/report-text.ts";
export { inspectModule } from "./report/report.ts";
export type { ModuleReport } from "./report/report.ts";
export type { ValidatedModule } from "./validated-module.ts";
export { createWasmValidator } from "./wasm-validator.ts";
export type { WasmValidator } from "./wasm-validator.ts";
