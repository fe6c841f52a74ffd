/**
 * @module Evaluates a filter as the kernel would, so that a host and tests can ask what a program
 * answers to each number without making the calls.
 */
import { BPF, type CallAnswer, INSTRUCTION_BYTES, OFFSET, RETURN } from "./filter-program.ts";

/** A system call as a filter sees it. */
export interface JudgedCall {
  readonly number: number;
  /** AUDIT_ARCH of linux/audit.h. */
  readonly architecture: number;
  /** Up to six, of which the filter sees 64 bits. Default: 0. */
  readonly arguments?: readonly bigint[];
}

const DATA_BYTES = 64;

/**
 * The answer of `program` to a call. A program that does what this package's own do not, that runs
 * off its end or answers anything else, is answered `undefined`.
 */
export function judgeCall(program: Uint8Array, call: JudgedCall): CallAnswer | undefined {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = dataOf(call);
  let accumulator = 0;
  // Jumps only lead forward, so that this ends.
  for (let at = 0; at + INSTRUCTION_BYTES <= program.byteLength; at += INSTRUCTION_BYTES) {
    const operand = code.getUint32(at + 4, true);
    const jump = (holds: boolean): number =>
      INSTRUCTION_BYTES * code.getUint8(at + (holds ? 2 : 3));
    switch (code.getUint16(at, true)) {
      case BPF.LOAD_WORD:
        if (operand > DATA_BYTES - 4) return undefined;
        accumulator = data.getUint32(operand, true);
        break;
      case BPF.JUMP_IF_EQUAL:
        at += jump(accumulator === operand);
        break;
      case BPF.JUMP_IF_AT_LEAST:
        at += jump(accumulator >= operand);
        break;
      case BPF.JUMP_IF_ANY_BIT:
        at += jump((accumulator & operand) !== 0);
        break;
      case BPF.RETURN:
        return ANSWERS.get(operand);
      default:
        return undefined;
    }
  }
  return undefined;
}

const ANSWERS: ReadonlyMap<number, CallAnswer> = new Map(
  (Object.keys(RETURN) as CallAnswer[]).map((answer) => [RETURN[answer], answer]),
);

/** struct seccomp_data. */
function dataOf(call: JudgedCall): DataView {
  const data = new DataView(new ArrayBuffer(DATA_BYTES));
  data.setUint32(OFFSET.number, call.number, true);
  data.setUint32(OFFSET.architecture, call.architecture, true);
  for (const [at, value] of (call.arguments ?? []).entries())
    data.setBigUint64(OFFSET.arguments + 8 * at, BigInt.asUintN(64, value), true);
  return data;
}
