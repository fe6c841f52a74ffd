/**
 * @module The one opcode table: all operators of WebAssembly 3.0 with the legacy exceptions and
 * threads, as V8 of Node 26 runs them. Reader, writer, printer, the page docs/wasm-operators.md and
 * the tests derive from it.
 */
import { type Operator, OPCODE_SLOTS, parseRows } from "./operator.ts";
import { SCALAR_ROWS } from "./rows-scalar.ts";
import { VECTOR_ROWS } from "./rows-vector.ts";

/** Every operator, ordered by opcode number. */
export const OPERATORS: readonly Operator[] = Object.freeze(
  Object.entries({ ...SCALAR_ROWS, ...VECTOR_ROWS })
    .flatMap(([proposal, text]) => parseRows(proposal, text))
    .sort((a, b) => a.opcode - b.opcode),
);

const BY_OPCODE: readonly (Operator | undefined)[] = (() => {
  const slots = Array.from({ length: OPCODE_SLOTS }, (): Operator | undefined => undefined);
  for (const operator of OPERATORS) slots[operator.opcode] = operator;
  return slots;
})();

/** The operator of an opcode number; `undefined` for a number that no operator has. */
export function operatorOf(opcode: number): Operator | undefined {
  return BY_OPCODE[opcode];
}

const BY_NAME: ReadonlyMap<string, number> = new Map(
  // Two operators are called `select`; the name stands for the one without types.
  OPERATORS.toReversed()
    .toSorted((a, b) => b.immediates.length - a.immediates.length)
    .map(({ name, opcode }) => [name, opcode]),
);

/**
 * The opcode number of an operator's name, for tables and tests.
 *
 * @throws TypeError for a name that no operator has.
 */
export function opcodeNamed(name: string): number {
  const opcode = BY_NAME.get(name);
  if (opcode === undefined) throw new TypeError(`no operator is called ${name}`);
  return opcode;
}
