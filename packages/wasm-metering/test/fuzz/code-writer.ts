/** @module What code of a generated function is written with: operators, constants, labels. */
import { opcodeNamed, operatorOf } from "@glovebox/wasm-binary/operators";
import { ByteWriter } from "@glovebox/wasm-binary/write";

import { TYPE_BYTES } from "./module-shape.ts";
import type { NumberType } from "./program.ts";

/** The block type of a block that gives nothing. */
export const VOID = 0x40;
/** Of a label that statements leave alone: its branch takes a reference, or would never end. */
export const UNTOUCHABLE: readonly NumberType[] = Object.freeze(["i32"] as const);
/** Operators whose first immediate is a byte. */
const WITH_BYTE: ReadonlySet<string> = new Set(["block", "loop", "if", "try_table", "ref.test"]);

/** Writes the code of one function. */
export class CodeWriter {
  protected readonly code: ByteWriter = new ByteWriter();
  /** Types that a branch to each label takes, the innermost last. */
  protected readonly labels: (readonly NumberType[])[];

  constructor(results: readonly NumberType[]) {
    this.labels = [results];
  }

  /** An operator and immediates that are small unsigned integers. */
  protected op(name: string, ...immediates: readonly number[]): void {
    const operator = operatorOf(opcodeNamed(name));
    if (operator === undefined) throw new Error(`no operator ${name}`);
    this.code.byte(operator.byte);
    if (operator.sub >= 0) this.code.unsigned(operator.sub);
    const isByte = WITH_BYTE.has(name);
    for (const [place, immediate] of immediates.entries()) {
      if (isByte && place === 0) this.code.byte(immediate);
      else this.code.unsigned(immediate);
    }
  }

  protected constant(value: number, type: NumberType): void {
    this.op(`${type}.const`);
    const { buffer } = type === "f32" ? Float32Array.of(value / 4) : Float64Array.of(value / 4);
    if (type === "i32") this.code.signed(value | 0);
    else if (type === "i64") this.code.signed64(BigInt(value));
    else this.code.raw(new Uint8Array(buffer));
  }

  protected block(
    name: "block" | "loop" | "if",
    results: readonly NumberType[],
    write: () => void,
  ): void {
    const [result] = results;
    this.op(name, result === undefined ? VOID : TYPE_BYTES[result]);
    this.labels.push(name === "loop" ? [] : results);
    write();
    this.labels.pop();
    this.op("end");
  }

  protected leave(depth: number, name: "br" | "return"): void {
    for (const type of this.typesAt(depth)) this.constant(3, type);
    if (name === "return") return this.op("return");
    this.op("br", depth);
  }

  /** One of the labels that statements may branch to. */
  protected depthOf(index: number): number {
    const all = [...this.labels.keys()].filter((depth) => this.typesAt(depth) !== UNTOUCHABLE);
    return all[index % all.length] as number;
  }

  protected typesAt(depth: number): readonly NumberType[] {
    return this.labels[this.labels.length - 1 - depth] ?? [];
  }
}
