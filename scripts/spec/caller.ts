/**
 * @module A small module that calls an export with the constants of a script and gives its results as
 * integers: bit for bit, which JavaScript's numbers are not (NaN), and of vectors and exceptions,
 * which JavaScript cannot hold. It has no memory: engines reserve gigabytes of addresses for each.
 */
import { ByteWriter, writeValueType } from "@glovebox/wasm-binary/write";

import type { Constant } from "./constant.ts";

/** What is called or looked at: a function's type, or a global's. */
export type Callee =
  | {
      readonly kind: "function";
      readonly parameters: readonly number[];
      readonly results: readonly number[];
    }
  | { readonly kind: "global"; readonly type: number; readonly mutable: boolean };

/** How a result becomes i64s, by the byte of its type; references become whether they are null. */
const WIDEN: Readonly<Record<number, readonly (readonly number[])[]>> = {
  0x7f: [[0xad]],
  0x7e: [[]],
  0x7d: [[0xbc, 0xad]],
  0x7c: [[0xbd]],
  // Both lanes of a vector.
  0x7b: [
    [0xfd, 0x1d, 0],
    [0xfd, 0x1d, 1],
  ],
};
const WIDEN_REFERENCE = [[0xd1, 0xad]];
const I64 = 0x7e;

/** How many i64s a result of the type becomes. */
export function lanesOf(type: number): number {
  return (WIDEN[type] ?? WIDEN_REFERENCE).length;
}

const CONSTANTS: Readonly<Record<string, readonly number[]>> = {
  i32: [0x41],
  i64: [0x42],
  f32: [0x43],
  f64: [0x44],
  v128: [0xfd, 0x0c],
};
const HEAP_TYPES: Readonly<Record<string, number>> = {
  func: 0x70,
  extern: 0x6f,
  any: 0x6e,
  eq: 0x6d,
  i31: 0x6c,
  struct: 0x6b,
  array: 0x6a,
  exn: 0x69,
  none: 0x71,
  noextern: 0x72,
  nofunc: 0x73,
  noexn: 0x74,
};

/** The bytes of the module: it imports `m.f`, and exports `run`, which gives the results as i64s. */
export function callerModule(callee: Callee, given: readonly Constant[]): Uint8Array<ArrayBuffer> {
  const results = callee.kind === "function" ? callee.results : [callee.type];
  const out = new ByteWriter();
  out.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const section = (id: number, write: (writer: ByteWriter) => void): void => {
    const content = new ByteWriter();
    write(content);
    out.byte(id);
    out.unsigned(content.length);
    out.append(content);
  };
  section(1, (writer) => {
    writer.raw([2, 0x60, 0]);
    const lanes = results.reduce((sum, type) => sum + lanesOf(type), 0);
    writeTypes(
      writer,
      Array.from({ length: lanes }, () => I64),
    );
    writer.byte(0x60);
    writeTypes(writer, callee.kind === "function" ? callee.parameters : []);
    writeTypes(writer, results);
  });
  section(2, (writer) => {
    writer.raw([1, 1, 0x6d, 1, 0x66]);
    if (callee.kind === "function") return writer.raw([0, 1]);
    writer.byte(3);
    writeValueType(writer, callee.type);
    writer.byte(callee.mutable ? 1 : 0);
  });
  section(3, (writer) => writer.raw([1, 0]));
  section(7, (writer) => {
    writer.byte(1);
    writer.name("run");
    writer.raw([0, callee.kind === "function" ? 1 : 0]);
  });
  section(10, (writer) => {
    const body = bodyOf(callee, results, given);
    writer.byte(1);
    writer.unsigned(body.length);
    writer.append(body);
  });
  return out.finish();
}

function writeTypes(writer: ByteWriter, types: readonly number[]): void {
  writer.unsigned(types.length);
  for (const type of types) writeValueType(writer, type);
}

function bodyOf(
  { kind }: Callee,
  results: readonly number[],
  given: readonly Constant[],
): ByteWriter {
  const body = new ByteWriter();
  body.unsigned(results.length);
  for (const type of results) {
    body.byte(1);
    writeValueType(body, type);
  }
  for (const constant of given) writeConstant(body, constant);
  body.raw(kind === "function" ? [0x10, 0] : [0x23, 0]);
  for (let index = results.length - 1; index >= 0; index--) {
    body.byte(0x21);
    body.unsigned(index);
  }
  for (const [index, type] of results.entries()) {
    for (const widen of WIDEN[type] ?? WIDEN_REFERENCE) {
      body.byte(0x20);
      body.unsigned(index);
      body.raw(widen);
    }
  }
  body.byte(0x0b);
  return body;
}

function writeConstant(writer: ByteWriter, constant: Constant): void {
  if (constant.kind === "reference" && constant.form === "null") {
    return writer.raw([0xd0, HEAP_TYPES[constant.heapType ?? ""] ?? 0x70]);
  }
  if (constant.kind !== "number") throw new SyntaxError("only numbers and null can be written");
  const { type, laneBytes, lanes } = constant;
  writer.raw(CONSTANTS[type] ?? []);
  for (const lane of lanes) {
    if (typeof lane !== "bigint") throw new SyntaxError("a pattern is no argument");
    if (type === "i32") writer.signed(Number(BigInt.asIntN(32, lane)));
    else if (type === "i64") writer.signed64(lane);
    else writer.littleEndian(lane, laneBytes);
  }
}
