import { assembleWat } from "@glovebox/testkit";
/**
 * @module Modules that lie about lengths, counts, order, nesting and integers (CWE-130, CWE-190,
 * CWE-674, CWE-770, CWE-789): a coded error with the offset, which the engine refuses too.
 */
import { readModule, WasmBinaryError } from "@glovebox/wasm-binary";
import { describe, expect, it } from "vitest";

import {
  moduleOf,
  moduleWithCode,
  ONE_FUNCTION,
  ONE_TYPE,
  section,
  sized,
  u32,
} from "../module-bytes.ts";

const FOUR_GIB = [0xff, 0xff, 0xff, 0xff, 0x0f];
const repeat = (count: number, ...bytes: readonly number[]): number[] =>
  Array.from({ length: count }, () => bytes).flat();
const withBody = (...body: readonly number[]): Uint8Array =>
  moduleOf(ONE_TYPE, ONE_FUNCTION, section(10, 1, body));

/** Where and why reading stopped. */
function problemOf(bytes: Uint8Array): string {
  const decision = readModule(bytes);
  if (decision.allowed) return "allowed";
  const offset = /\(at byte (\d+)\)$/.exec(decision.reason)?.[1];
  return `${decision.code.replace("WASM_BINARY_", "")} ${offset}`;
}

describe("a module that lies is refused with code and offset, as the engine refuses it", () => {
  it.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(), "END 0"],
    ["half a header", moduleOf().subarray(0, 6), "END 6"],
    ["another magic", Uint8Array.of(0, 0x61, 0x73, 0x6e, 1, 0, 0, 0), "HEADER 3"],
    ["a component", Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), "HEADER 4"],
    ["an unknown section", moduleOf(14, 0), "SECTION 8"],
    ["a section twice", moduleOf(ONE_TYPE, ONE_TYPE), "SECTION 14"],
    ["sections out of order", moduleOf(section(7, 0), ONE_TYPE), "SECTION 11"],
    ["a section of 4 GiB", moduleOf(1, FOUR_GIB), "END 14"],
    ["a length in six bytes", moduleOf(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0), "INTEGER 9"],
    ["a length beyond 32 bits", moduleOf(1, 0xff, 0xff, 0xff, 0xff, 0x1f), "INTEGER 9"],
    ["4 G types", moduleOf(section(1, FOUR_GIB)), "COUNT 10"],
    ["4 G types in a group", moduleOf(section(1, 1, 0x4e, FOUR_GIB)), "COUNT 12"],
    ["4 G parameters", moduleOf(section(1, 1, 0x60, FOUR_GIB, 0)), "COUNT 12"],
    ["4 G imports", moduleOf(section(2, FOUR_GIB)), "COUNT 10"],
    ["4 G functions", moduleOf(section(3, FOUR_GIB)), "COUNT 10"],
    ["4 G tables", moduleOf(section(4, FOUR_GIB)), "COUNT 10"],
    ["4 G memories", moduleOf(section(5, FOUR_GIB)), "COUNT 10"],
    ["4 G globals", moduleOf(section(6, FOUR_GIB)), "COUNT 10"],
    ["4 G exports", moduleOf(section(7, FOUR_GIB)), "COUNT 10"],
    ["4 G element segments", moduleOf(section(9, FOUR_GIB)), "COUNT 10"],
    ["4 G elements", moduleOf(section(9, 1, 1, 0, FOUR_GIB)), "COUNT 13"],
    ["4 G bodies", moduleOf(ONE_TYPE, ONE_FUNCTION, section(10, FOUR_GIB)), "COUNT 20"],
    ["4 G data segments", moduleOf(section(11, FOUR_GIB)), "COUNT 10"],
    ["data of 4 GiB", moduleOf(section(5, 1, 0, 1), section(11, 1, 1, FOUR_GIB)), "END 22"],
    ["4 G groups of locals", withBody(...sized(FOUR_GIB, 0x0b)), "COUNT 22"],
    ["8 G locals", withBody(...sized(2, FOUR_GIB, 0x7f, FOUR_GIB, 0x7f, 0x0b)), "COUNT 29"],
    ["4 G labels", moduleWithCode(0x41, 0, 0x0e, FOUR_GIB, 0), "COUNT 26"],
    ["a name of 4 GiB", moduleOf(section(7, 1, FOUR_GIB, 0, 0)), "END 16"],
    ["a name that is not UTF-8", moduleOf(section(7, 1, 2, 0xc0, 0xaf, 0, 0)), "NAME 12"],
    ["a section name that is not UTF-8", moduleOf(section(0, 1, 0xff)), "NAME 11"],
    ["an unknown kind", moduleOf(section(7, 1, 1, 0x78, 9, 0)), "TYPE 13"],
    ["an unknown type", moduleOf(section(1, 1, 0x60, 1, 0x40, 0)), "TYPE 13"],
    ["unknown limits", moduleOf(section(5, 1, 9, 0)), "TYPE 11"],
    ["bytes behind the last entry", moduleOf(section(3, 0, 0)), "SECTION 11"],
    ["a type section one byte short", moduleOf(section(1, 1, 0x60, 0)), "END 13"],
    ["fewer bodies than functions", moduleOf(ONE_TYPE, ONE_FUNCTION), "COUNT 18"],
    ["a body that says it is shorter", withBody(2, 0, 0x01, 0x0b), "SECTION 24"],
    ["a body that says it is longer", withBody(9, 0, 0x0b), "BODY 21"],
    ["code behind the last end", withBody(...sized(0, 0x0b, 0x01)), "BODY 24"],
    ["a body without its end", withBody(...sized(0, 0x02, 0x40, 0x0b)), "BODY 26"],
    ["a body cut within an operator", withBody(...sized(0, 0x41)), "END 24"],
    ["an else without an if", moduleWithCode(0x05), "OPCODE 23"],
    ["a catch without a try", moduleWithCode(0x19), "OPCODE 23"],
    ["an unknown opcode", moduleWithCode(0x27), "OPCODE 23"],
    ["an unknown numbered opcode", moduleWithCode(0xfc, 0x60), "OPCODE 23"],
    ["a prefixed opcode beyond the table", moduleWithCode(0xfd, FOUR_GIB), "OPCODE 23"],
    ["an i32 in six bytes", moduleWithCode(0x41, repeat(5, 0x80), 0, 0x1a), "INTEGER 24"],
    ["an i32 with bits beyond 32", moduleWithCode(0x41, repeat(4, 0x80), 0x10, 0x1a), "INTEGER 24"],
    ["an i64 in eleven bytes", moduleWithCode(0x42, repeat(10, 0x80), 0, 0x1a), "INTEGER 24"],
    ["an i64 with bits beyond 64", moduleWithCode(0x42, repeat(9, 0x80), 2, 0x1a), "INTEGER 24"],
    [
      "code in a constant expression",
      moduleOf(section(6, 1, 0x7f, 0, 0x41, 0, 0x45, 0x0b)),
      "OPCODE 15",
    ],
    ["a constant expression without end", moduleOf(section(6, 1, 0x7f, 0, 0x41, 0)), "BODY 15"],
    ["data that is not announced", moduleWithCode(0xfc, 0x09, 0), "COUNT 23"],
    ["data announced and missing", moduleOf(section(12, 1)), "COUNT 11"],
  ])("%s", (_, bytes, problem) => {
    expect(problemOf(bytes)).toBe(problem);
    expect(WebAssembly.validate(bytes)).toBe(false);
  });

  it("takes padded integers, as the engine does", () => {
    const padded = moduleWithCode(
      0x41,
      0x80,
      0x80,
      0x80,
      0x80,
      0x78,
      0x1a,
      0x42,
      repeat(9, 0xff),
      0x7f,
      0x1a,
    );
    expect(problemOf(padded)).toBe("allowed");
    expect(WebAssembly.validate(padded)).toBe(true);
  });

  it("reads blocks nested 100,000 deep without recursion", () => {
    const deep = moduleWithCode(repeat(100_000, 0x02, 0x40), repeat(100_000, 0x0b));
    expect(problemOf(deep)).toBe("allowed");
    const open = moduleWithCode(repeat(100_000, 0x02, 0x40));
    expect(problemOf(open)).toMatch(/^BODY/);
  });

  it("counts sections, however small each is", () => {
    expect(problemOf(moduleOf(repeat(5_000, 0, 1, 0)))).toBe("allowed");
    expect(problemOf(moduleOf(repeat(5_001, 0, 1, 0)))).toMatch(/^LIMIT/);
  });

  it("bounds the targets of a branch table as the engine does", () => {
    const table = (count: number): Uint8Array =>
      moduleWithCode(0x41, 0, 0x0e, u32(count), repeat(count + 1, 0));
    expect([problemOf(table(65_520)), WebAssembly.validate(table(65_520))]).toEqual([
      "allowed",
      true,
    ]);
    expect([problemOf(table(65_521)), WebAssembly.validate(table(65_521))]).toEqual([
      "LIMIT 29",
      false,
    ]);
  });

  it("cut at every byte, is refused or is what the engine takes", async () => {
    const whole = await assembleWat(
      `(module (type (func (param i32) (result i32))) (import "env" "log" (func (type 0)))
        (memory (export "memory") 1) (table 2 funcref) (global (mut i64) (i64.const -5))
        (elem (i32.const 0) 0 1) (data (i32.const 8) "text")
        (func (export "f") (type 0) (local i64 f32)
          (block (loop (br_if 1 (i32.eqz (local.get 0))) (br_table 0 1 (call 0 (local.get 0)))))
          (i32.load offset=200 (local.get 0))))`,
    );
    expect(problemOf(whole)).toBe("allowed");
    for (let cut = 0; cut < whole.length; cut++) {
      const bytes = whole.subarray(0, cut);
      // Some cuts fall between two sections, and what is left is a module.
      expect(problemOf(bytes) === "allowed" && !WebAssembly.validate(bytes)).toBe(false);
      expect(problemOf(bytes) !== "allowed" && WebAssembly.validate(bytes)).toBe(false);
    }
  });

  it("throws for misuse only", () => {
    expect(() => readModule([0] as never)).toThrow(WasmBinaryError);
  });
});
