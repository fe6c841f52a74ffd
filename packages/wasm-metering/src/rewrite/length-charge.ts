/** @module What an operator with a length on the stack costs beyond its base. */
import type { WasmModule } from "@glovebox/wasm-binary";
import { opcodeNamed, operatorOf } from "@glovebox/wasm-binary/operators";

import { COST_TABLE } from "../cost-table.ts";
import { MAX_MEMORY_BYTES, MAX_MEMORY_PAGES, MAX_TABLE_ELEMENTS } from "../limits.ts";
import type { Code } from "./code.ts";

/** How the length of one operator is priced. */
export interface LengthPrice {
  /** Whether the length is an i64. */
  readonly is64: boolean;
  /** Above it the operator traps or answers -1 in any case, and costs no more. */
  readonly maximum: number | undefined;
  readonly units: number;
  readonly shift: number;
}

const MEMORY_GROW = opcodeNamed("memory.grow");
const TABLE_GROW = opcodeNamed("table.grow");
const MEMORY_COPY = opcodeNamed("memory.copy");
const MEMORY_FILL = opcodeNamed("memory.fill");
const TABLE_COPY = opcodeNamed("table.copy");
const TABLE_FILL = opcodeNamed("table.fill");

/**
 * The price of an operator by its immediates. A length is attacker-controlled and may be 2^64-1:
 * clamped, a charge stays far below what a budget can hold, and an operator that would trap still
 * traps.
 */
export function lengthPrice(
  module: WasmModule,
  opcode: number,
  first: number,
  second: number,
): LengthPrice {
  const operator = operatorOf(opcode);
  const price = operator && COST_TABLE.classes[operator.cost].perLength;
  if (price === undefined) throw new TypeError("an operator without a length was priced by length");
  const { units, shift } = price;
  const memory64 = (index: number): boolean => module.memories.at(index).is64;
  const table64 = (index: number): boolean => module.tables.at(index).is64;
  switch (opcode) {
    case MEMORY_GROW:
      return { is64: memory64(first), maximum: MAX_MEMORY_PAGES, units, shift };
    case TABLE_GROW:
      return { is64: table64(first), maximum: MAX_TABLE_ELEMENTS, units, shift };
    case MEMORY_FILL:
      return memoryPrice(memory64(first), units, shift);
    case MEMORY_COPY:
      return memoryPrice(memory64(first) && memory64(second), units, shift);
    case TABLE_FILL:
      return tablePrice(table64(first), units, shift);
    case TABLE_COPY:
      return tablePrice(table64(first) && table64(second), units, shift);
    default:
      // Initialisers and arrays have an i32 length whatever they work on.
      return { is64: false, maximum: undefined, units, shift };
  }
}

function memoryPrice(is64: boolean, units: number, shift: number): LengthPrice {
  return { is64, maximum: is64 ? MAX_MEMORY_BYTES : undefined, units, shift };
}

function tablePrice(is64: boolean, units: number, shift: number): LengthPrice {
  return { is64, maximum: is64 ? MAX_TABLE_ELEMENTS : undefined, units, shift };
}

/** Locals that hold a length: one of each type. */
export interface LengthLocals {
  readonly narrow: number;
  readonly wide: number;
}

/** Writes what keeps the length on top of the stack in a local, and leaves it there. */
export function writeKeepLength(code: Code, price: LengthPrice, locals: LengthLocals): void {
  if (price.is64) return code.index("localTee", locals.wide);
  code.index("localTee", locals.narrow);
  if (price.maximum === undefined) return;
  code.index("localGet", locals.narrow);
  code.op("extend");
  code.index("localSet", locals.wide);
}

/** Writes the units, as an i64, of the length that was kept. */
export function writeUnits(code: Code, price: LengthPrice, locals: LengthLocals): void {
  if (price.maximum !== undefined) code.minimum(locals.wide, price.maximum);
  else {
    code.index("localGet", locals.narrow);
    code.op("extend");
  }
  if (price.shift > 0) {
    code.i64(price.shift);
    code.op("shiftRight");
  }
  if (price.units > 1) {
    code.i64(price.units);
    code.op("multiply");
  }
}
