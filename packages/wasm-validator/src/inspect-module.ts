/**
 * @module A small report on a module for people and for choosing an ABI, without an engine. It says
 * what stands in the bytes and not whether the module is valid: only an engine can tell that.
 */
import type { ModuleExport, ModuleImport } from "@glovebox/core/ports";

import { type ModuleDefect, readModule } from "./binary/read-module.ts";
import { hasMagic, type ModuleSection, readVersion } from "./binary/sections.ts";
import { WasmError } from "./errors.ts";

/** What the bytes of a module say of it. */
export interface ModuleReport {
  /** Whether it begins with 00 61 73 6d. */
  readonly magicOk: boolean;
  /** 1 for a core module; absent when the bytes end before it, or are no module. */
  readonly version?: number;
  /** Bytes. */
  readonly size: number;
  readonly sections: readonly ModuleSection[];
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** Where and why reading stopped; absent when every section was read. */
  readonly defect?: ModuleDefect;
}

/**
 * Reports on a module's bytes, as far as they can be read. Its work is bounded by the limits of this
 * package, not by the size of the file.
 *
 * @throws {@link WasmError} (`WASM_USAGE`) when `bytes` is no Uint8Array.
 */
export function inspectModule(bytes: Uint8Array): ModuleReport {
  if (!(bytes instanceof Uint8Array)) {
    throw new WasmError("WASM_USAGE", { message: "inspectModule takes a Uint8Array" });
  }
  const magicOk = hasMagic(bytes);
  const version = magicOk ? readVersion(bytes) : undefined;
  return {
    magicOk,
    ...(version === undefined ? {} : { version }),
    size: bytes.byteLength,
    ...readModule(bytes),
  };
}
