/** @module The door @glovebox/wasm-binary/operators. The opcode table, and what is read by it. */
export type { CostClass, Immediate, IndexImmediate, Operator } from "../opcode/operator.ts";
export { opcodeNamed, operatorOf, OPERATORS } from "../opcode/table.ts";
export { OperatorReader } from "../read/operator-reader.ts";
export { instructionOf } from "./instruction.ts";
export type { Catch, ImmediateValue, Instruction, MemoryArgument } from "./instruction.ts";
export { printInstruction } from "./print-instruction.ts";
export { printValueType } from "./print-type.ts";
