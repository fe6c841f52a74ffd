import { assembleWat } from "@glovebox/testkit";
import { readModule, SECTION, type WasmModule } from "@glovebox/wasm-binary";
import { describe, expect, it } from "vitest";

import { moduleOf, section } from "./module-bytes.ts";

function read(bytes: Uint8Array): WasmModule {
  const decision = readModule(bytes);
  if (!decision.allowed) throw new Error(decision.reason);
  return decision.value;
}

const WAT = `(module
  (type $pair (func (param i32 i64) (result f32 f64)))
  (import "env" "log" (func (type $pair)))
  (import "env" "table" (table 1 9 funcref))
  (import "env" "limit" (global i64))
  (memory 1 2)
  (table 3 externref)
  (global (mut i32) (i32.const 7))
  (tag (param i32))
  (export "memory" (memory 0))
  (export "tally" (global 1))
  (start $go)
  (elem (table 0) (i32.const 0) func $go $go)
  (elem funcref (ref.func $go))
  (data (i32.const 16) "text")
  (data "passive")
  (func $go (local i32 i32 f64) (nop)))`;
const FEATURES = { multi_value: true, exceptions: true, reference_types: true, bulk_memory: true };

describe("a module that was read", () => {
  it("says what its entries are, imported ones first", async () => {
    const module = read(await assembleWat(WAT, FEATURES));
    expect(module.types.at(0)).toEqual({
      kind: "function",
      final: true,
      supertypes: [],
      parameters: [0x7f, 0x7e],
      results: [0x7d, 0x7c],
    });
    expect([...module.imports]).toMatchObject([
      { module: "env", name: "log", kind: "function" },
      { module: "env", name: "table", kind: "table" },
      { module: "env", name: "limit", kind: "global" },
    ]);
    expect(module.imported).toEqual({ function: 1, table: 1, memory: 0, global: 1, tag: 0 });
    expect(module.functions.length).toBe(2);
    expect(module.functions[0]).toBe(0);
    expect([...module.tables]).toMatchObject([
      { element: 0x70, minimum: 1n, maximum: 9n },
      { element: 0x6f, minimum: 3n, maximum: undefined, initializer: undefined },
    ]);
    expect([...module.memories]).toEqual([
      { minimum: 1n, maximum: 2n, shared: false, is64: false },
    ]);
    expect([...module.globals]).toMatchObject([
      { type: 0x7e, mutable: false, initializer: undefined },
      { type: 0x7f, mutable: true },
    ]);
    expect(module.tags.length).toBe(1);
    expect([...module.exports]).toEqual([
      { name: "memory", kind: "memory", index: 0 },
      { name: "tally", kind: "global", index: 1 },
    ]);
    expect(module.start).toBe(1);
    expect([...module.elements]).toMatchObject([
      { mode: "active", table: 0, count: 2, expressions: false, type: 0x70 },
      { mode: "passive", count: 1 },
    ]);
    const [text] = [...module.data].map(({ bytes: { start, end } }) =>
      module.bytes.subarray(start, end),
    );
    expect(new TextDecoder().decode(text)).toBe("text");
    expect([...module.data]).toMatchObject([{ mode: "active", memory: 0 }, { mode: "passive" }]);
    expect(module.bodies.length).toBe(1);
    expect(module.bytes[module.bodies.endOf(0) - 1]).toBe(0x0b);
    expect(() => module.types.at(9)).toThrow("there is no entry 9");
    expect(() => module.bodies.startOf(1)).toThrow("there is no body 1");
  });

  it("names references, fields and groups of the 3.0 type section", () => {
    const module = read(
      moduleOf(
        section(
          1,
          2,
          [0x4e, 2, 0x50, 0, 0x5f, 1, 0x78, 1],
          [0x4f, 1, 0, 0x5f, 2, 0x78, 1, 0x63, 0, 0],
          [0x5e, 0x64, 0x6b, 1],
        ),
      ),
    );
    expect(module.typeEntries).toBe(2);
    expect(module.hasRecursiveGroups).toBe(true);
    expect([...module.types]).toEqual([
      { kind: "struct", final: false, supertypes: [], fields: [{ type: 0x78, mutable: true }] },
      {
        kind: "struct",
        final: true,
        supertypes: [0],
        fields: [
          { type: 0x78, mutable: true },
          { type: 0x63 + 256 * 64, mutable: false },
        ],
      },
      {
        kind: "array",
        final: true,
        supertypes: [],
        fields: [{ type: 0x64 + 256 * 43, mutable: true }],
      },
    ]);
  });

  it("lists sections where they stand, custom ones too", () => {
    const module = read(moduleOf(section(0, 1, 0x78, 1, 2), section(5, 1, 0, 1)));
    expect(module.sections).toEqual([
      { id: SECTION.custom, header: 8, start: 10, end: 14 },
      { id: SECTION.memory, header: 14, start: 16, end: 19 },
    ]);
  });

  it("leaves bodies unread when asked to", () => {
    const broken = moduleOf(
      section(1, 1, 0x60, 0, 0),
      section(3, 1, 0),
      section(10, 1, 3, 0, 0x27, 0x0b),
    );
    expect(readModule(broken)).toMatchObject({ allowed: false, code: "WASM_BINARY_OPCODE" });
    expect(readModule(broken, { bodies: "skip" }).allowed).toBe(true);
  });
});
