/**
 * @module Whether a module's tables are its own: no one else can put a function into them or take one
 * out, so that functions in them may have another type, and calls through them pass fuel like direct
 * ones (metering R4). Where it is not certain, they are open.
 */
import { ByteReader, type WasmModule } from "@glovebox/wasm-binary";

import { MAX_THREADED_VALUES, MAX_TYPES } from "./limits.ts";
import type { FunctionReferences } from "./rewrite/function-references.ts";
import type { Survey } from "./survey.ts";

const FUNCREF = 0x70;
/** Of the value types that are one byte. */
const LAST_SHORT_TYPE = 0x7f;

/** Whether every function in a table was put there by the module's own segments, and stays there. */
export function hasClosedTables(
  module: WasmModule,
  survey: Survey,
  references: FunctionReferences,
): boolean {
  const { imported, tables, exports, elements, hasRecursiveGroups, types, functions } = module;
  if (survey.movesReferences || hasRecursiveGroups || imported.table > 0) return false;
  if (references.hasForeignElements || elements.length === 0) return false;
  if (2 * types.length + 2 * functions.length + 2 > MAX_TYPES) return false;
  for (const { kind } of exports) if (kind === "table") return false;
  for (const { element, is64, initializer } of tables) {
    if (element !== FUNCREF || is64 || initializer !== undefined) return false;
  }
  for (const { type } of elements) if (type !== FUNCREF) return false;
  for (const type of types) {
    if (type.kind !== "function" || !type.final || type.supertypes.length > 0) return false;
    if (Math.max(type.parameters.length, type.results.length) > MAX_THREADED_VALUES) return false;
    // Two of these can be one type to the engine though they are written differently: who calls whom
    // would not be known, and a recursion not seen.
    const isLong = (value: number): boolean => value > LAST_SHORT_TYPE;
    if (type.parameters.some(isLong) || type.results.some(isLong)) return false;
  }
  return true;
}

/** For each type the first that is the same. */
export function firstTypes(types: WasmModule["types"]): Int32Array {
  const known = new Map<string, number>();
  const first = new Int32Array(types.length);
  for (let index = 0; index < types.length; index++) {
    const type = types.at(index);
    const key =
      type.kind === "function" ? `${type.parameters.join()}>${type.results.join()}` : `${index}`;
    const found = known.get(key);
    if (found === undefined) known.set(key, index);
    first[index] = found ?? index;
  }
  return first;
}

/** Offset of the table index of the `call_indirect` at `position`. */
export function tableIndexAt(bytes: Uint8Array, position: number): number {
  const reader = new ByteReader(bytes, position + 1);
  reader.u32();
  return reader.position;
}
