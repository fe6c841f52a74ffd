/** @module The table against the engine: it has exactly the opcodes that V8 has, with their types. */
import { readFileSync, writeFileSync } from "node:fs";

import { readModule } from "@glovebox/wasm-binary";
import { opcodeNamed, type Operator, operatorOf, OPERATORS } from "@glovebox/wasm-binary/operators";
import { describe, expect, it } from "vitest";

import { moduleOf, moduleWithCode, section, sized, u32 } from "./module-bytes.ts";
import { operatorPage } from "./operator-page.ts";

const TYPES: Readonly<Record<string, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  addr: 0x7f,
};
const HAS_FIXED_TYPE = OPERATORS.filter(
  ({ operands, results }) => ![...operands, ...results].includes("*"),
);

/** Immediates that suit the module of {@link moduleAround}. */
function immediatesOf({ name, immediates }: Operator): number[] {
  return immediates.flatMap((kind) => {
    if (kind === "memarg") return [name.includes("atomic") ? atomicAlignment(name) : 0, 0];
    return kind === "v128" || kind === "lanes"
      ? Array.from({ length: 16 }, () => 0)
      : kind === "f32"
        ? [0, 0, 0, 0]
        : kind === "f64"
          ? [0, 0, 0, 0, 0, 0, 0, 0]
          : [0];
  });
}

/** An atomic's alignment has to be its width. */
function atomicAlignment(name: string): number {
  const bits = /(?:load|store|rmw)(8|16|32)/.exec(name)?.[1];
  if (bits !== undefined) return Math.log2(Number(bits) / 8);
  if (name === "memory.atomic.notify" || name.endsWith("wait32")) return 2;
  return name.startsWith("i32") ? 2 : 3;
}

/** A function of the operator's own type, that gets its operands and runs only it. */
function moduleAround(operator: Operator, results: readonly string[]): Uint8Array {
  const { byte, sub, operands } = operator;
  const typesOf = (names: readonly string[]): number[] =>
    sized(names.map((name) => TYPES[name] ?? 0)).slice(1);
  const type = [
    0x60,
    ...u32(operands.length),
    ...typesOf(operands),
    ...u32(results.length),
    ...typesOf(results),
  ];
  const code = [
    ...operands.flatMap((_, index) => [0x20, index]),
    byte,
    ...(sub < 0 ? [] : u32(sub)),
    ...immediatesOf(operator),
  ];
  return moduleOf(
    section(1, 1, type),
    section(3, 1, 0),
    section(4, 1, 0x70, 0, 1),
    section(5, 1, 3, 1, 1),
    section(9, 1, 1, 0, 0),
    section(12, 1),
    section(10, 1, sized(0, code, 0x0b)),
    section(11, 1, 1, 0),
  );
}

describe("the opcode table", () => {
  it.each(HAS_FIXED_TYPE.map((operator) => [operator.name, operator] as const))(
    "types %s as the engine does",
    (_, operator) => {
      const bytes = moduleAround(operator, operator.results);
      expect(WebAssembly.validate(bytes)).toBe(true);
      expect(readModule(bytes)).toMatchObject({ allowed: true });
      const other = operator.results[0] === "f64" ? ["f32"] : ["f64"];
      expect(WebAssembly.validate(moduleAround(operator, other))).toBe(false);
    },
  );

  it("has every opcode that the engine has, and no other", () => {
    const missing: string[] = [];
    for (const [byte, sub] of possibleOpcodes()) {
      const known = OPERATORS.some((operator) => operator.byte === byte && operator.sub === sub);
      if (engineKnows(byte, sub) !== known) missing.push(`${byte.toString(16)}:${sub}`);
    }
    // struct.new_desc and struct.new_default_desc: the engine looks for their type before it says
    // that their proposal is off, and no module can have such a type.
    expect(missing).toEqual(["fb:32", "fb:33"]);
  });

  it("has each name once, but for select, and each opcode once", () => {
    const names = OPERATORS.map(({ name }) => name).filter((name) => name !== "select");
    expect(new Set(names).size).toBe(names.length);
    for (const operator of OPERATORS) expect(operatorOf(operator.opcode)).toBe(operator);
    expect(opcodeNamed("i32.add")).toBe(0x6a);
    expect(opcodeNamed("select")).toBe(0x1b);
    expect(() => opcodeNamed("i32.nand")).toThrow("no operator is called");
  });

  it("is what docs/wasm-operators.md prints (UPDATE=1 rewrites it)", () => {
    const file = new URL("../../../docs/wasm-operators.md", import.meta.url);
    if (process.env["UPDATE"] === "1") writeFileSync(file, operatorPage());
    expect(readFileSync(file, "utf8")).toBe(operatorPage());
  });
});

function* possibleOpcodes(): Generator<[byte: number, sub: number]> {
  for (let byte = 0; byte < 0xfb; byte++) yield [byte, -1];
  yield [0xff, -1];
  for (const [byte, size] of [
    [0xfb, 64],
    [0xfc, 64],
    [0xfd, 0x114],
    [0xfe, 128],
  ] as const) {
    for (let sub = 0; sub < size; sub++) yield [byte, sub];
  }
}

/** Whether the engine's complaint about the opcode is another than that there is none. */
function engineKnows(byte: number, sub: number): boolean {
  const code = [byte, ...(sub < 0 ? [] : u32(sub)), ...Array.from({ length: 24 }, () => 0)];
  try {
    void new WebAssembly.Module(moduleWithCode(0x00, code));
    return true;
  } catch (error) {
    return !/invalid (?:numeric |simd |atomic |gc )?opcode|enable with --experimental|unknown or unimplemented/i.test(
      String(error),
    );
  }
}
