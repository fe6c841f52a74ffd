/**
 * @module The constant expressions of a module and what instantiating it costs before any function
 * runs: expressions are evaluated, segments copied, tables filled.
 */
import type { ByteRange, WasmModule } from "@glovebox/wasm-binary";
import { opcodeNamed, OperatorReader } from "@glovebox/wasm-binary/operators";

import { PROPOSAL_OF, PROPOSALS } from "./opcode-roles.ts";

/** What constant expressions use and cost. */
export interface ConstantFacts {
  readonly proposals: ReadonlySet<string>;
  /** Operators, the `end` of each expression counted. */
  readonly operators: number;
}

const EXTENDED: ReadonlySet<number> = new Set(
  ["i32", "i64"].flatMap((type) =>
    ["add", "sub", "mul"].map((name) => opcodeNamed(`${type}.${name}`)),
  ),
);

/** Reads every constant expression. */
export function readConstantExpressions(module: WasmModule): ConstantFacts {
  const proposals = new Set<string>();
  const reader = new OperatorReader(module.bytes);
  let operators = 0;
  const read = ({ start, end }: ByteRange): void => {
    // Elements hold one expression behind another.
    for (let at = start; at < end; at = reader.position) {
      reader.open(at, end);
      for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
        operators += 1;
        proposals.add(PROPOSALS[PROPOSAL_OF[opcode] as number] as string);
        if (EXTENDED.has(opcode)) proposals.add("extended-const");
      }
    }
  };
  for (const { initializer } of module.globals) if (initializer !== undefined) read(initializer);
  for (const { initializer } of module.tables) if (initializer !== undefined) read(initializer);
  for (const { offset } of module.data) if (offset !== undefined) read(offset);
  for (const { offset, expressions, items } of module.elements) {
    if (offset !== undefined) read(offset);
    if (expressions) read(items);
  }
  return { proposals, operators };
}

/**
 * What instantiating costs, in units of one operator: an operator of a constant expression, eight
 * bytes of an active data segment, an element of a segment or of a table's first size.
 */
export function instantiationCost(module: WasmModule, constantOperators: number): number {
  let cost = constantOperators;
  for (const { mode, bytes } of module.data) {
    if (mode === "active") cost += Math.ceil((bytes.end - bytes.start) / 8);
  }
  for (const { count } of module.elements) cost += count;
  for (let index = module.imported.table; index < module.tables.length; index += 1) {
    cost += Number(module.tables.at(index).minimum);
  }
  return cost;
}
