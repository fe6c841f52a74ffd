/**
 * @module What this package knows of a module without an engine: its sections, imports and exports,
 * or where and why reading stopped. Pure and bounded; the bytes are attacker-controlled.
 */
import type { EngineVerdict, ModuleExport, ModuleImport } from "@glovebox/core/ports";

import type { WasmErrorCode } from "../errors.ts";
import { Malformed } from "./cursor.ts";
import { readExports, readImports } from "./imports-exports.ts";
import { EXPORT_SECTION, IMPORT_SECTION } from "./section-table.ts";
import { type ModuleSection, walkSections } from "./sections.ts";

/** Where and why reading a module stopped. */
export interface ModuleDefect {
  readonly code: WasmErrorCode;
  /** Byte offset from the start of the module. */
  readonly offset: number;
  readonly reason: string;
}

/** What could be read; with a defect, up to it. */
export interface ModuleReading extends EngineVerdict {
  readonly sections: readonly ModuleSection[];
  readonly defect?: ModuleDefect;
}

/** Reads a module as far as it is well-formed. */
export function readModule(bytes: Uint8Array): ModuleReading {
  const sections: ModuleSection[] = [];
  let imports: readonly ModuleImport[] = [];
  let exports: readonly ModuleExport[] = [];
  try {
    for (const section of walkSections(bytes)) {
      sections.push(Object.freeze(section));
      if (section.id === IMPORT_SECTION) imports = readImports(bytes, section);
      if (section.id === EXPORT_SECTION) exports = readExports(bytes, section);
    }
    return { sections, imports, exports };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const defect = { code: error.code, offset: error.offset, reason: error.message };
    return { sections, imports, exports, defect };
  }
}
