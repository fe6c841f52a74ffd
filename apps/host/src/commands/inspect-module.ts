/**
 * @module What the bytes of one WebAssembly module say, without an engine: a module is never compiled
 * in this process (I1). The only file here that knows the module validator.
 */
import { hash } from "node:crypto";

import { describeModule, inspectModule, type ModuleReport } from "@glovebox/wasm-validator";

/** The ABIs of contract.md 2. */
export type AbiName = "flat" | "extism" | "wasi";

/** A report with what the command adds. */
export interface InspectedModule extends ModuleReport {
  readonly sha256: string;
  /** By the rule of contract.md 5. */
  readonly abi: AbiName;
}

/** Reports on a module. */
export function inspectBytes(bytes: Uint8Array): InspectedModule {
  const report = inspectModule(bytes);
  return { sha256: hash("sha256", bytes), abi: abiOf(report), ...report };
}

/** Extism if it imports the kernel, else WASI if it is a command or a reactor, else flat. */
function abiOf({ imports, exports }: ModuleReport): AbiName {
  if (imports.some(({ module }) => module === "extism:host/env")) return "extism";
  const isWasi = exports.some(({ name }) => name === "_start" || name === "_initialize");
  return isWasi ? "wasi" : "flat";
}

/** A report as lines for people, not yet encoded for a terminal. */
export function linesOfModule(module: InspectedModule): readonly string[] {
  return describeModule(module);
}
