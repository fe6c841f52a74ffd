/**
 * @module The imports and exports of a module as both the engine and people see them. Names go into
 * logs and dashboards: one that could forge a line or hide its end is refused, and not repeated.
 */
import type { ExternKind } from "@glovebox/core/ports";
import type { WasmModule } from "@glovebox/wasm-binary";

import { MAX_EXPORTS, MAX_IMPORTS, MAX_NAME_BYTES } from "../limits.ts";
import { Defect } from "./defect.ts";
import { typeText } from "./type-text.ts";

/** An import with its type in the text format. */
export interface TypedImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  readonly type: string;
}

/** An export with its type in the text format. */
export interface TypedExport {
  readonly name: string;
  readonly kind: ExternKind;
  readonly type: string;
}

// A name with these could forge a log line or reorder what an operator reads (CWE-117, CWE-1007).
const MISLEADING_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u;

/** @throws {@link Defect} */
export function readImports(module: WasmModule): readonly TypedImport[] {
  const { imports } = module;
  assertCount("imports", imports.length, MAX_IMPORTS, module);
  const seen = { function: 0, table: 0, memory: 0, global: 0, tag: 0 };
  return Array.from({ length: imports.length }, (_, index) => {
    const { module: from, name, kind } = imports.at(index);
    const offset = imports.offsetOf(index);
    assertPlain(from, offset);
    assertPlain(name, offset);
    return Object.freeze({ module: from, name, kind, type: typeText(module, kind, seen[kind]++) });
  });
}

/** @throws {@link Defect} */
export function readExports(module: WasmModule): readonly TypedExport[] {
  const { exports } = module;
  assertCount("exports", exports.length, MAX_EXPORTS, module);
  return Array.from({ length: exports.length }, (_, at) => {
    const { name, kind, index } = exports.at(at);
    assertPlain(name, exports.offsetOf(at));
    return Object.freeze({ name, kind, type: typeText(module, kind, index) });
  });
}

/** @throws {@link Defect} (`WASM_NAME`) for a name that cannot be shown as it is. */
export function assertPlain(name: string, offset: number): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new Defect("WASM_NAME", offset, `a name is longer than ${MAX_NAME_BYTES} bytes`);
  }
  if (MISLEADING_CHARACTERS.test(name)) {
    throw new Defect("WASM_NAME", offset, "a name holds control or bidirectional characters");
  }
}

function assertCount(what: string, count: number, max: number, module: WasmModule): void {
  if (count <= max) return;
  const id = what === "imports" ? 2 : 7;
  const offset = module.sections.find((section) => section.id === id)?.start ?? 0;
  throw new Defect("WASM_COUNT", offset, `there are ${count} ${what}; at most ${max} are read`);
}
