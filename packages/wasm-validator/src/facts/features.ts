/**
 * @module Which proposals a module uses: those of its operators, and those that only its types,
 * bounds and segments show. WebAssembly 1.0 needs none.
 */
import type { WasmModule } from "@glovebox/wasm-binary";

/** The proposals that a policy can allow, as the opcode table names them, and those of types. */
export const WASM_FEATURES = [
  "mutable-globals",
  "multi-value",
  "sign-extension",
  "saturating-conversion",
  "bulk-memory",
  "reference-types",
  "simd",
  "relaxed-simd",
  "tail-call",
  "extended-const",
  "exception-handling",
  "legacy-exceptions",
  "function-references",
  "gc",
  "multi-memory",
  "memory64",
  "threads",
] as const;

/** See {@link WASM_FEATURES}. */
export type WasmFeature = (typeof WASM_FEATURES)[number];

const V128 = 0x7b;
const FUNCREF = 0x70;
const EXTERNREF = 0x6f;
const EXNREF = [0x69, 0x74];
const TYPED = [0x63, 0x64];
/** anyref, eqref, i31ref, structref, arrayref and the bottom types. */
const GC_REFERENCES = [0x6e, 0x6d, 0x6c, 0x6b, 0x6a, 0x71, 0x72, 0x73];

/**
 * Features in the order of {@link WASM_FEATURES}; `proposals` are those of the operators, in function
 * bodies and constant expressions.
 */
export function featuresOf(
  module: WasmModule,
  proposals: ReadonlySet<string>,
): readonly WasmFeature[] {
  const used = new Set<string>(proposals);
  addTypes(module, used);
  for (const memory of module.memories) {
    if (memory.shared) used.add("threads");
    if (memory.is64) used.add("memory64");
  }
  if (module.memories.length > 1) used.add("multi-memory");
  if (module.tables.length > 1) used.add("reference-types");
  for (const table of module.tables) {
    addValueType(table.element, used);
    if (table.is64) used.add("memory64");
    if (table.initializer !== undefined) used.add("function-references");
  }
  addGlobals(module, used);
  if (module.tags.length > 0 && !used.has("legacy-exceptions")) used.add("exception-handling");
  const isPassive = (segment: { readonly mode: string }): boolean => segment.mode !== "active";
  if (some(module.data, isPassive) || some(module.elements, isPassive)) used.add("bulk-memory");
  return WASM_FEATURES.filter((feature) => used.has(feature));
}

function addTypes({ types, hasRecursiveGroups }: WasmModule, used: Set<string>): void {
  if (hasRecursiveGroups) used.add("gc");
  for (const type of types) {
    if (type.kind !== "function" || type.supertypes.length > 0 || !type.final) used.add("gc");
    if (type.kind !== "function") {
      for (const field of type.fields) addValueType(field.type, used);
      continue;
    }
    if (type.results.length > 1) used.add("multi-value");
    for (const value of type.parameters) addValueType(value, used);
    for (const value of type.results) addValueType(value, used);
  }
}

function addGlobals({ globals, exports, imported }: WasmModule, used: Set<string>): void {
  const isMutable = (index: number): boolean => index < globals.length && globals.at(index).mutable;
  for (let index = 0; index < imported.global; index += 1) {
    if (isMutable(index)) used.add("mutable-globals");
  }
  for (const entry of exports) {
    if (entry.kind === "global" && isMutable(entry.index)) used.add("mutable-globals");
  }
  for (const { type } of globals) addValueType(type, used);
}

function addValueType(type: number, used: Set<string>): void {
  const byte = type % 256;
  if (byte === V128) used.add("simd");
  else if (byte === EXTERNREF || byte === FUNCREF) used.add("reference-types");
  else if (EXNREF.includes(byte)) used.add("exception-handling");
  else if (TYPED.includes(byte)) used.add("function-references");
  else if (GC_REFERENCES.includes(byte)) used.add("gc");
}

function some<T>(entries: Iterable<T>, holds: (entry: T) => boolean): boolean {
  for (const entry of entries) if (holds(entry)) return true;
  return false;
}
