/** @module What the reader leaves in its fields, and that printing and writing agree with it. */
import {
  type Instruction,
  instructionOf,
  OperatorReader,
  printInstruction,
  printValueType,
} from "@glovebox/wasm-binary/operators";
import { ByteWriter, writeInstruction, writeValueType } from "@glovebox/wasm-binary/write";
import { describe, expect, it } from "vitest";

function read(bytes: readonly number[]): Instruction[] {
  const reader = new OperatorReader(Uint8Array.from(bytes));
  reader.open(0, bytes.length);
  const instructions: Instruction[] = [];
  for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
    instructions.push(instructionOf(reader, opcode));
  }
  reader.close();
  return instructions;
}

function write(instructions: readonly Instruction[]): number[] {
  const writer = new ByteWriter(1);
  for (const instruction of instructions) writeInstruction(writer, instruction);
  return [...writer.finish()];
}

const SIXTEEN = Array.from({ length: 16 }, (_, index) => index);

describe("an operator", () => {
  it.each<[string, readonly number[]]>([
    ["i32.const -1", [0x41, 0x7f]],
    ["i32.const -2147483648", [0x41, 0x80, 0x80, 0x80, 0x80, 0x78]],
    ["i32.const 2147483647", [0x41, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ["i32.const 8191", [0x41, 0xff, 0x3f]],
    ["i32.const -8192", [0x41, 0x80, 0x40]],
    ["i64.const -9223372036854775808", [0x42, ...Array.from({ length: 9 }, () => 0x80), 0x7f]],
    ["i64.const 9223372036854775807", [0x42, ...Array.from({ length: 9 }, () => 0xff), 0]],
    ["i64.const -4294967297", [0x42, 0xff, 0xff, 0xff, 0xff, 0x6f]],
    ["i64.const 34359738368", [0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ["f32.const 1.5", [0x43, 0, 0, 0xc0, 0x3f]],
    ["f32.const -nan:0x400001", [0x43, 1, 0, 0xc0, 0xff]],
    ["f64.const -0", [0x44, 0, 0, 0, 0, 0, 0, 0, 0x80]],
    ["f64.const inf", [0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f]],
    ["v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", [0xfd, 12, ...SIXTEEN]],
    ["i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", [0xfd, 13, ...SIXTEEN]],
    ["i8x16.relaxed_swizzle", [0xfd, 0x80, 0x02]],
    ["i64x2.extract_lane 1", [0xfd, 29, 1]],
    ["v128.load8_lane 2 offset=300 align=1 7", [0xfd, 84, 0x40, 2, 0xac, 2, 7]],
    ["i32.load offset=300 align=4", [0x28, 2, 0xac, 2]],
    [
      "i64.store 200 offset=18446744073709551615 align=8",
      [0x37, 0x43, 0xc8, 1, ...Array.from({ length: 9 }, () => 0xff), 1],
    ],
    ["call 300", [0x10, 0xac, 2]],
    ["call 4294967295", [0x10, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ["call_indirect 3 1", [0x11, 3, 1]],
    ["memory.copy 0 1", [0xfc, 10, 0, 1]],
    ["br_table 0 1 300", [0x0e, 2, 0, 1, 0xac, 2]],
    ["select (result (ref null 5))", [0x1c, 1, 0x63, 5]],
    ["ref.null func", [0xd0, 0x70]],
    ["ref.null 7", [0xd0, 7]],
    ["ref.test i31", [0xfb, 20, 0x6c]],
    ["br_on_cast flags=3 1 any 300", [0xfb, 24, 3, 1, 0x6e, 0xac, 2]],
    ["atomic.fence", [0xfe, 3, 0]],
    ["struct.get_u 4 2", [0xfb, 4, 4, 2]],
    ["rethrow 1", [0x09, 1]],
  ])("%s is read, printed and written", (text, bytes) => {
    const [instruction, end] = read([...bytes, 0x0b]);
    expect(instruction && printInstruction(instruction)).toBe(text);
    expect(end?.name).toBe("end");
    expect(instruction && write([instruction])).toEqual([...bytes]);
  });

  it("of a block carries its type, whatever its form", () => {
    const code = [0x02, 0x40, 0x03, 0x7f, 0x04, 0x05, 0x0b, 0x0b, 0x0b];
    const typed = [0x02, 0x64, 0x70, 0x0b];
    const caught = [
      0x1f, 0x40, 4, 0, 1, 0, 1, 1, 0, 2, 0, 3, 0, 0x0b, 0x06, 0x40, 0x07, 0, 0x19, 0x0b,
    ];
    const delegated = [0x06, 0x40, 0x18, 0];
    const bytes = [...code, ...typed, ...caught, ...delegated, 0x0b];
    const instructions = read(bytes);
    expect(write(instructions)).toEqual(bytes);
    expect(instructions.map(printInstruction)).toEqual([
      "block",
      "loop (result i32)",
      "if (type 5)",
      "end",
      "end",
      "end",
      "block (result (ref func))",
      "end",
      "try_table (catch 1 0) (catch_ref 1 0) (catch_all 0) (catch_all_ref 0)",
      "end",
      "try",
      "catch 0",
      "catch_all",
      "end",
      "try",
      "delegate 0",
      "end",
    ]);
  });

  it.each<[string, number]>([
    ["i32", 0x7f],
    ["v128", 0x7b],
    ["(ref null extern)", 0x6f],
    ["(ref null 300)", 0x63 + 256 * 364],
    ["(ref 0)", 0x64 + 256 * 64],
    ["(ref eq)", 0x64 + 256 * 45],
  ])("prints and writes the type %s", (text, type) => {
    expect(printValueType(type)).toBe(text);
    const writer = new ByteWriter();
    writeValueType(writer, type);
    const reader = new OperatorReader(writer.finish());
    expect(reader.valueType()).toBe(type);
  });
});
