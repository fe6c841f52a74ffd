/**
 * @module What each operator costs, in units of fuel. A unit is about the time of a simple operator;
 * those that take a thousand times as long (throwing) or as long as their operand says (filling
 * memory) are priced so. Docs and tests derive from this table; whoever changes a number raises the
 * version, which is part of every cache key.
 */
import { type CostClass, operatorOf, OPERATORS } from "@glovebox/wasm-binary/operators";

/** Units of one class, and for each unit of length where its operators have one. */
export interface ClassCost {
  /** Units each time. */
  readonly base: number;
  /** `units` for each 2^`shift` of the length on the stack, in full. */
  readonly perLength?: { readonly units: number; readonly shift: number };
}

/** The costs; docs/fuel-costs.md prints them. */
export const COST_TABLE = {
  /** Raised with every change of a number below. */
  version: 3,
  classes: {
    structure: { base: 0 },
    simple: { base: 1 },
    divide: { base: 10 },
    call: { base: 2 },
    indirect: { base: 5 },
    table: { base: 4 },
    cast: { base: 3 },
    atomic: { base: 10 },
    wait: { base: 200 },
    throw: { base: 1_000 },
    allocate: { base: 20 },
    "allocate-array": { base: 20, perLength: { units: 1, shift: 0 } },
    grow: { base: 300, perLength: { units: 4_096, shift: 0 } },
    "bulk-bytes": { base: 10, perLength: { units: 1, shift: 3 } },
    "bulk-elements": { base: 10, perLength: { units: 8, shift: 0 } },
    // The engine writes each element in two places, and makes a call for the whole: 18 ns where a
    // function is copied, 10 where nothing is.
    "bulk-table": { base: 40, perLength: { units: 64, shift: 0 } },
  } satisfies Readonly<Record<CostClass, ClassCost>> as Readonly<Record<CostClass, ClassCost>>,
  /** Of entering a function: `base`, and one unit for each `localsPerUnit` locals above `freeLocals`. */
  entry: { base: 1, freeLocals: 30, localsPerUnit: 8 },
  /** For each catch of a block that is entered: the engine asks one after the other what was thrown. */
  perCatch: 1,
} as const;

/** Units of each opcode number without what its length adds. */
export const BASE_COSTS: Uint16Array = (() => {
  const costs = new Uint16Array(1024);
  for (const { opcode, cost } of OPERATORS) costs[opcode] = COST_TABLE.classes[cost].base;
  return costs;
})();

/** 1 for each opcode number whose cost grows with the length on the stack. */
export const HAS_LENGTH: Uint8Array = Uint8Array.from(BASE_COSTS, (_, opcode) => {
  const operator = operatorOf(opcode);
  return operator !== undefined &&
    COST_TABLE.classes[operator.cost].perLength !== undefined &&
    operator.name !== "array.new_fixed"
    ? 1
    : 0;
});

/** Units for entering a function with so many locals, which the engine sets to zero each time. */
export function entryCost(locals: number): number {
  const { base, freeLocals, localsPerUnit } = COST_TABLE.entry;
  return base + Math.ceil(Math.max(0, locals - freeLocals) / localsPerUnit);
}
