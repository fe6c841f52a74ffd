/**
 * @module Every code of this package. All but the two of misuse, `WASM_USAGE` and `WASM_POLICY`, are
 * refusals, returned and never thrown. Types and docs/errors/wasm-validator.md derive from this table.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** The codes of this package: what each means and what to do about it. */
export const WASM_ERRORS = {
  WASM_USAGE: {
    summary: "The module validator was called with something it does not take",
    advice: "Pass the module's bytes as a Uint8Array, and an engine.",
  },
  WASM_POLICY: {
    summary: "An option of the module policy is malformed",
    advice: "Correct the option that the message names; an import pattern is MODULE.NAME.",
  },
  WASM_SIZE: {
    summary: "The module is larger than the policy allows, or empty",
    advice: "Strip custom sections and debug information, or raise maxModuleBytes.",
  },
  WASM_MAGIC: {
    summary: "The file is not a WebAssembly binary",
    advice: "Give a .wasm file that begins with 00 61 73 6d; assemble text first.",
  },
  WASM_VERSION: {
    summary: "The binary is not a core module of version 1",
    advice: "Build a core module; a component has to be split into its core modules.",
  },
  WASM_SECTION: {
    summary: "The module's sections are malformed",
    advice: "Rebuild the module; the byte offset says where reading stopped.",
  },
  WASM_INTEGER: {
    summary: "An integer in the module is encoded in too many bytes or overflows",
    advice: "Rebuild the module; the byte offset says where the integer begins.",
  },
  WASM_COUNT: {
    summary: "A list in the module is longer than its bytes or than the validator reads",
    advice: "Rebuild the module, or reduce its imports, exports or custom sections.",
  },
  WASM_NAME: {
    summary: "A name in the module is not plain text",
    advice:
      "Use UTF-8 names without control or bidirectional characters, within the length allowed.",
  },
  WASM_TYPE: {
    summary: "An import or export is of a kind that the validator cannot read",
    advice: "Build the module without the proposal that the kind belongs to.",
  },
  WASM_LIMIT: {
    summary: "The module has more of something than the policy allows",
    advice: "Reduce what the reason names, or raise that limit in the policy.",
  },
  WASM_FEATURE: {
    summary: "The module uses a proposal that the policy does not allow",
    advice: "Build the module without what the reason names, or add it to allowedFeatures.",
  },
  WASM_START: {
    summary: "The module has a start function, and the policy allows none",
    advice: "Move what it does into an exported function, or set startFunction to allow.",
  },
  WASM_CUSTOM_SECTION: {
    summary: "The module has a custom section that the policy does not allow",
    advice: "Strip the section that the reason names, or add it to allowedCustomSections.",
  },
  WASM_COMPILE_COST: {
    summary: "Compiling the module would cost more than the policy allows",
    advice: "Split functions that have many locals and blocks, or raise maxCompileCost.",
  },
  WASM_INSTANTIATION_COST: {
    summary: "Instantiating the module would cost more than the policy allows",
    advice:
      "Reduce data and element segments and first table sizes, or raise maxInstantiationCost.",
  },
  WASM_DISAGREEMENT: {
    summary: "The engine reads other imports or exports than the validator",
    advice: "Keep the module as evidence and report it: one of the two reads it wrongly.",
  },
  WASM_IMPORT_NOT_ALLOWED: {
    summary: "The module imports what neither its ABI nor the policy allows",
    advice: "Remove the imports named, or allow them with allowedImportPatterns.",
  },
  WASM_LINK_TYPE: {
    summary: "The module imports functions by reference, or vectors, from another of its plugin",
    advice: "Import each function by its name, and pass vectors through a memory.",
  },
  WASM_EXPORT_MISSING: {
    summary: "The module lacks an export that its ABI requires, or has it as another kind",
    advice: "Export what the reason names, or correct the manifest's abi.",
  },
} as const satisfies ErrorCodeTable;

/** A code of {@link WASM_ERRORS}. */
export type WasmErrorCode = keyof typeof WASM_ERRORS;

/** Thrown only on misuse (`WASM_USAGE`, `WASM_POLICY`). */
export class WasmError extends SecurityError<WasmErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/wasm-validator/WasmError");

  constructor(code: WasmErrorCode, options: SecurityErrorOptions = {}) {
    super(code, WASM_ERRORS[code], options);
  }
}
