/** @module The door of @glovebox/wasm-validator. */
export type { ModuleDefect } from "./binary/read-module.ts";
export type { ModuleSection } from "./binary/sections.ts";
export { WASM_ERRORS, WasmError } from "./errors.ts";
export type { WasmErrorCode } from "./errors.ts";
export { inspectModule } from "./inspect-module.ts";
export type { ModuleReport } from "./inspect-module.ts";
export type { AbiRequirements } from "./policy/requirements.ts";
export type { WasmPolicy } from "./policy/wasm-policy.ts";
export type { ValidatedModule } from "./validated-module.ts";
export { createWasmValidator } from "./wasm-validator.ts";
export type { WasmValidator } from "./wasm-validator.ts";
