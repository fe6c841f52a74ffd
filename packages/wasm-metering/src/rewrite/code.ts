/** @module The operators that metering writes, by name: what the rest of this folder is spelled in. */
import { opcodeNamed } from "@glovebox/wasm-binary/operators";
import type { ByteWriter } from "@glovebox/wasm-binary/write";

import type { I32, I64 } from "./type-pool.ts";

const OP = {
  unreachable: opcodeNamed("unreachable"),
  block: opcodeNamed("block"),
  if: opcodeNamed("if"),
  end: opcodeNamed("end"),
  brIf: opcodeNamed("br_if"),
  return: opcodeNamed("return"),
  call: opcodeNamed("call"),
  returnCall: opcodeNamed("return_call"),
  callIndirect: opcodeNamed("call_indirect"),
  select: opcodeNamed("select"),
  localGet: opcodeNamed("local.get"),
  localSet: opcodeNamed("local.set"),
  localTee: opcodeNamed("local.tee"),
  globalGet: opcodeNamed("global.get"),
  globalSet: opcodeNamed("global.set"),
  i32Const: opcodeNamed("i32.const"),
  i64Const: opcodeNamed("i64.const"),
  notEqual: opcodeNamed("i64.ne"),
  lessThan: opcodeNamed("i64.lt_s"),
  lessThanUnsigned: opcodeNamed("i64.lt_u"),
  add: opcodeNamed("i64.add"),
  subtract: opcodeNamed("i64.sub"),
  multiply: opcodeNamed("i64.mul"),
  shiftRight: opcodeNamed("i64.shr_u"),
  divide: opcodeNamed("i64.div_u"),
  narrowAdd: opcodeNamed("i32.add"),
  narrowLess: opcodeNamed("i32.lt_u"),
  narrowLessSigned: opcodeNamed("i32.lt_s"),
  narrowGreater: opcodeNamed("i32.gt_u"),
  narrowAtLeast: opcodeNamed("i32.ge_u"),
  narrowGreaterSigned: opcodeNamed("i32.gt_s"),
  narrowSubtract: opcodeNamed("i32.sub"),
  narrowMultiply: opcodeNamed("i32.mul"),
  extend: opcodeNamed("i64.extend_i32_u"),
} as const;

/** An operator without immediates that metering writes. */
export type PlainOperator = Exclude<
  keyof typeof OP,
  | "block"
  | "if"
  | "brIf"
  | "call"
  | "returnCall"
  | `local${string}`
  | `global${string}`
  | `${string}Const`
>;

/** Writes single operators to `bytes`. */
export class Code {
  readonly bytes: ByteWriter;

  constructor(bytes: ByteWriter) {
    this.bytes = bytes;
  }

  op(name: PlainOperator): void {
    this.bytes.byte(OP[name]);
  }

  /** An operator with one index. */
  index(
    name:
      | "brIf"
      | "call"
      | "returnCall"
      | "callIndirect"
      | "localGet"
      | "localSet"
      | "localTee"
      | "globalGet"
      | "globalSet",
    index: number,
  ): void {
    this.bytes.byte(OP[name]);
    this.bytes.unsigned(index);
  }

  i64(value: number): void {
    this.bytes.byte(OP.i64Const);
    this.bytes.signed(value);
  }

  i32(value: number): void {
    this.bytes.byte(OP.i32Const);
    this.bytes.signed(value);
  }

  /** `block` without its type, which follows. */
  block(): void {
    this.bytes.byte(OP.block);
  }

  /** `if` without parameters and results. */
  ifEmpty(): void {
    this.bytes.byte(OP.if);
    this.bytes.byte(0x40);
  }

  /** Replaces what is on the stack by at most `maximum`, unsigned; `local` holds it. */
  minimum(local: number, maximum: number): void {
    this.index("localGet", local);
    this.i64(maximum);
    this.index("localGet", local);
    this.i64(maximum);
    this.op("lessThanUnsigned");
    this.op("select");
  }

  /** One more group of a function's locals: a single one. */
  declareLocal(type: typeof I32 | typeof I64): void {
    this.bytes.byte(1);
    this.bytes.byte(type);
  }
}
