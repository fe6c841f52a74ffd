/** @module The types of imports and exports in the text format, for policies and people. */
import type { ExternKind } from "@glovebox/core/ports";
import type { Limits, WasmModule } from "@glovebox/wasm-binary";
import { printValueType } from "@glovebox/wasm-binary/operators";

/** The type of an entry of an index space: `(func (param i64) (result i64))`, `(memory 1 16)`. */
export function typeText(module: WasmModule, kind: ExternKind, index: number): string {
  switch (kind) {
    case "function":
      return functionText(module, module.functions[index]);
    case "table": {
      const table = entryOf(module.tables, index);
      return table === undefined
        ? "?"
        : `(table ${limitsText(table)} ${printValueType(table.element)})`;
    }
    case "memory": {
      const memory = entryOf(module.memories, index);
      return memory === undefined
        ? "?"
        : `(memory ${limitsText(memory)}${memory.shared ? " shared" : ""})`;
    }
    case "global": {
      const global = entryOf(module.globals, index);
      if (global === undefined) return "?";
      const type = printValueType(global.type);
      return `(global ${global.mutable ? `(mut ${type})` : type})`;
    }
    case "tag":
    default:
      return functionText(module, entryOf(module.tags, index)).replace("(func", "(tag");
  }
}

/** Indices come from the module, which nobody has validated yet. */
function functionText({ types }: WasmModule, index: number | undefined): string {
  const type = index === undefined ? undefined : entryOf(types, index);
  if (type?.kind !== "function") return "?";
  const list = (word: string, values: readonly number[]): string =>
    values.length === 0 ? "" : ` (${word} ${values.map(printValueType).join(" ")})`;
  return `(func${list("param", type.parameters)}${list("result", type.results)})`;
}

function limitsText({ minimum, maximum, is64 }: Limits): string {
  return `${is64 ? "i64 " : ""}${minimum}${maximum === undefined ? "" : ` ${maximum}`}`;
}

function entryOf<T>(
  list: { readonly length: number; at(index: number): T },
  index: number,
): T | undefined {
  return index < list.length ? list.at(index) : undefined;
}
