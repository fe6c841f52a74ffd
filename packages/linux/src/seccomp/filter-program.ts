/**
 * @module Makes a seccomp filter out of a table of rules: a program of classic BPF that the kernel
 * runs before each system call (seccomp(2), linux/filter.h, linux/seccomp.h). Pure: whoever reads
 * the table knows the filter, and `judgeCall` evaluates the program without a kernel.
 */
import {
  type Architecture,
  SYSTEM_CALL_NUMBERS,
  type SystemCallName,
} from "../system-call-numbers.ts";

/**
 * What a call is answered. `allow`: it is made. `zero`: success without being made. `EPERM`: it fails
 * and the process goes on. `kill`: the kernel ends the whole process with SIGSYS.
 */
export type CallAnswer = "allow" | "zero" | "EPERM" | "kill";

/** The answer to one system call. What a table does not name is killed. */
export interface CallRule {
  readonly call: SystemCallName;
  readonly answer: CallAnswer;
  /** Calls whose argument (0 to 5) has this value in its lower 32 bits are allowed all the same. */
  readonly allowedWhere?: { readonly argument: number; readonly equals: number };
  /** Calls with any of these bits in the lower 32 of this argument (0 to 5) are killed all the same. */
  readonly killedWhere?: { readonly argument: number; readonly anyOf: number };
}

/** struct sock_filter: u16 code, u8 jump if true, u8 jump if false, u32 operand. */
export const INSTRUCTION_BYTES = 8;

/** Operation codes of linux/bpf_common.h. */
export const BPF = {
  LOAD_WORD: 0x20,
  JUMP_IF_EQUAL: 0x15,
  JUMP_IF_AT_LEAST: 0x35,
  JUMP_IF_ANY_BIT: 0x45,
  RETURN: 0x06,
} as const;
/** Answers of linux/seccomp.h: SECCOMP_RET_ALLOW, _ERRNO with 0 and with EPERM, _KILL_PROCESS. */
export const RETURN = {
  allow: 0x7fff0000,
  zero: 0x00050000,
  EPERM: 0x00050001,
  kill: 0x80000000,
} as const satisfies Record<CallAnswer, number>;
/** Offsets in struct seccomp_data: s32 number, u32 architecture, u64 instruction, u64 arguments[6]. */
export const OFFSET = { number: 0, architecture: 4, arguments: 16 } as const;
/** linux/audit.h. */
export const AUDIT_ARCH = { x64: 0xc000003e, arm64: 0xc00000b7 } as const satisfies Record<
  Architecture,
  number
>;
/** x86-64 takes numbers with this bit for its 32-bit ABI (arch/x86/include/uapi/asm/unistd.h). */
const X32_BIT = 0x40000000;

/**
 * The program for one architecture. Calls of any other, and those of the x32 ABI, are killed: a
 * number means something else there. Rules whose call the architecture lacks fall away.
 */
export function buildFilter(rules: readonly CallRule[], architecture: Architecture): Uint8Array {
  const program = new Program();
  program.load(OFFSET.architecture);
  program.returnUnless(AUDIT_ARCH[architecture], RETURN.kill);
  program.load(OFFSET.number);
  program.returnFrom(X32_BIT, RETURN.kill);
  for (const { call, answer, allowedWhere, killedWhere } of rules) {
    const number = SYSTEM_CALL_NUMBERS[call][architecture];
    if (number === null) continue;
    const conditions = [allowedWhere, killedWhere].filter((condition) => condition !== undefined);
    program.skipUnless(number, 3 * conditions.length + 1);
    // The kernel reads no more than the lower half of these arguments either, and it comes first: both architectures are little-endian.
    if (allowedWhere !== undefined) {
      program.load(OFFSET.arguments + 8 * allowedWhere.argument);
      program.returnIf(allowedWhere.equals, RETURN.allow);
    }
    if (killedWhere !== undefined) {
      program.load(OFFSET.arguments + 8 * killedWhere.argument);
      program.returnIfAnyOf(killedWhere.anyOf, RETURN.kill);
    }
    program.returnAlways(RETURN[answer]);
  }
  program.returnAlways(RETURN.kill);
  return program.bytes();
}

/** Writes instructions; jumps count instructions from the one after the jump. */
class Program {
  readonly #instructions: (readonly [code: number, ifTrue: number, ifFalse: number, k: number])[] =
    [];

  load(offset: number): void {
    this.#instructions.push([BPF.LOAD_WORD, 0, 0, offset]);
  }

  returnAlways(answer: number): void {
    this.#instructions.push([BPF.RETURN, 0, 0, answer]);
  }

  returnIf(value: number, answer: number): void {
    this.skipUnless(value, 1);
    this.returnAlways(answer);
  }

  returnIfAnyOf(bits: number, answer: number): void {
    this.#instructions.push([BPF.JUMP_IF_ANY_BIT, 0, 1, bits]);
    this.returnAlways(answer);
  }

  returnUnless(value: number, answer: number): void {
    this.#instructions.push([BPF.JUMP_IF_EQUAL, 1, 0, value]);
    this.returnAlways(answer);
  }

  /** For values from `value` on. */
  returnFrom(value: number, answer: number): void {
    this.#instructions.push([BPF.JUMP_IF_AT_LEAST, 0, 1, value]);
    this.returnAlways(answer);
  }

  skipUnless(value: number, instructions: number): void {
    this.#instructions.push([BPF.JUMP_IF_EQUAL, 0, instructions, value]);
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#instructions.length * INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [at, [code, ifTrue, ifFalse, k]] of this.#instructions.entries()) {
      const offset = at * INSTRUCTION_BYTES;
      view.setUint16(offset, code, true);
      view.setUint8(offset + 2, ifTrue);
      view.setUint8(offset + 3, ifFalse);
      view.setUint32(offset + 4, k, true);
    }
    return bytes;
  }
}
