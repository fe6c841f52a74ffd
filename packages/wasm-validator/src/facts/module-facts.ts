/**
 * @module Everything that can be said of a module without running or compiling it: what the policy
 * decides on and the report shows. Pure, linear in the bytes, bounded in memory; the bytes are
 * attacker-controlled.
 */
import { parseModule, type WasmModule } from "@glovebox/wasm-binary";
import { printValueType } from "@glovebox/wasm-binary/operators";

import { instantiationCost, readConstantExpressions } from "./constant-expressions.ts";
import { type Claims, readClaims } from "./custom-sections.ts";
import { defectOf, type ModuleDefect } from "./defect.ts";
import { featuresOf, type WasmFeature } from "./features.ts";
import { type CodeFacts, readCode } from "./function-facts.ts";
import { readExports, readImports, type TypedExport, type TypedImport } from "./names.ts";
import { listSections, type ModuleSection } from "./sections.ts";

/** The bounds of a memory, in pages of 64 KiB, or of a table, in elements. */
export interface Bounds {
  readonly minimum: number;
  /** `null`: none is declared. */
  readonly maximum: number | null;
  readonly imported: boolean;
}

/** A memory. */
export interface MemoryFacts extends Bounds {
  readonly shared: boolean;
  readonly is64: boolean;
}

/** A table. */
export interface TableFacts extends Bounds {
  readonly element: string;
}

/** What is in a module that could be read to its end. */
export interface ModuleFacts {
  readonly features: readonly WasmFeature[];
  readonly memories: readonly MemoryFacts[];
  readonly tables: readonly TableFacts[];
  readonly counts: Readonly<Record<CountedThing, number>>;
  /** Index of the start function; `null` where there is none. */
  readonly start: number | null;
  readonly code: CodeFacts;
  readonly claims: Claims;
  /** Units of one operator; what engines do at load and at instantiation. */
  readonly costs: { readonly compile: number; readonly instantiate: number };
}

/**
 * What is counted in a module; `parameters`, `results` and `fields` are those of the type that has
 * most.
 */
export type CountedThing =
  | "types"
  | "functions"
  | "importedFunctions"
  | "tables"
  | "memories"
  | "globals"
  | "tags"
  | "elementSegments"
  | "elements"
  | "dataSegments"
  | "dataBytes"
  | "customBytes"
  | "parameters"
  | "results"
  | "fields";

/** What could be read of a module: everything, or what stands before a defect. */
export type ModuleReading = {
  readonly sections: readonly ModuleSection[];
  readonly imports: readonly TypedImport[];
  readonly exports: readonly TypedExport[];
} & (
  | { readonly facts: ModuleFacts; readonly defect?: undefined }
  | { readonly facts?: undefined; readonly defect: ModuleDefect }
);

/** Reads a module, as far as it can be read. */
export function readFacts(bytes: Uint8Array): ModuleReading {
  const { sections, defect } = listSections(bytes);
  let imports: readonly TypedImport[] = [];
  let exports: readonly TypedExport[] = [];
  if (defect !== undefined) return { sections, imports, exports, defect };
  try {
    const module = parseModule(bytes, { bodies: "skip" });
    imports = readImports(module);
    exports = readExports(module);
    const code = readCode(module);
    const constants = readConstantExpressions(module);
    const facts: ModuleFacts = {
      features: featuresOf(module, new Set([...code.proposals, ...constants.proposals])),
      memories: memoriesOf(module),
      tables: tablesOf(module),
      counts: countsOf(module, sections),
      start: module.start ?? null,
      code,
      claims: readClaims(bytes, sections),
      costs: {
        compile: code.compileCost,
        instantiate: instantiationCost(module, constants.operators),
      },
    };
    return { sections, imports, exports, facts };
  } catch (error) {
    return { sections, imports, exports, defect: defectOf(error) };
  }
}

function memoriesOf({ memories, imported }: WasmModule): readonly MemoryFacts[] {
  return Array.from(memories, (memory, index) => ({
    minimum: Number(memory.minimum),
    maximum: memory.maximum === undefined ? null : Number(memory.maximum),
    imported: index < imported.memory,
    shared: memory.shared,
    is64: memory.is64,
  }));
}

function tablesOf({ tables, imported }: WasmModule): readonly TableFacts[] {
  return Array.from(tables, (table, index) => ({
    minimum: Number(table.minimum),
    maximum: table.maximum === undefined ? null : Number(table.maximum),
    imported: index < imported.table,
    element: printValueType(table.element),
  }));
}

function countsOf(
  module: WasmModule,
  sections: readonly ModuleSection[],
): Readonly<Record<CountedThing, number>> {
  let elements = 0;
  for (const { count } of module.elements) elements += count;
  let dataBytes = 0;
  for (const { bytes } of module.data) dataBytes += bytes.end - bytes.start;
  let customBytes = 0;
  for (const { id, size } of sections) customBytes += id === 0 ? size : 0;
  let parameters = 0;
  let results = 0;
  let fields = 0;
  for (const type of module.types) {
    if (type.kind === "function") {
      parameters = Math.max(parameters, type.parameters.length);
      results = Math.max(results, type.results.length);
    } else fields = Math.max(fields, type.fields.length);
  }
  return {
    types: module.types.length,
    functions: module.functions.length,
    importedFunctions: module.imported.function,
    tables: module.tables.length,
    memories: module.memories.length,
    globals: module.globals.length,
    tags: module.tags.length,
    elementSegments: module.elements.length,
    elements,
    dataSegments: module.data.length,
    dataBytes,
    customBytes,
    parameters,
    results,
    fields,
  };
}
