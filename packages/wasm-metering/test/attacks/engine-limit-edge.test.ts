/** @module Modules at the engine's limits: the metered module is valid, or it is refused with a code. */
import { assembleWat } from "@glovebox/testkit";
import { ByteWriter } from "@glovebox/wasm-binary/write";
import { meterModule } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { metered, validated } from "../run-module.ts";

const FILL = "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))";

describe("a function at an engine limit", () => {
  it.each<[string, string]>([
    [
      "with 1,000 parameters and a caller",
      `(func $f (param ${"i32 ".repeat(1_000)}))
      (func (export "run") (call $f ${"(i32.const 0)".repeat(1_000)}))`,
    ],
    [
      "with 1,000 results and a caller",
      `(func $f (result ${"i32 ".repeat(1_000)}) ${"(i32.const 0)".repeat(1_000)})
      (func (export "run") (call $f) ${"(drop)".repeat(1_000)})`,
    ],
    [
      "with 49,990 locals and a fill",
      `(memory 1) (func (export "run") (local ${"i32 ".repeat(49_990)}) ${FILL})`,
    ],
  ])("%s stays valid", async (_, body) => {
    const { bytes } = metered(
      await assembleWat(`(module ${body})`, { multi_value: true, bulk_memory: true }),
    );
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it("with 50,000 locals, of which metering needs two more, is refused with a code", () => {
    const fill = [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0];
    const bytes = moduleOf([], [1, 0xd0, 0x86, 0x03, 0x7f], fill);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(meterModule(validated(bytes))).toMatchObject({ allowed: false, code: "METERING_LIMIT" });
  });

  it("with a branch to more labels than the reader takes is refused with a code", () => {
    const labels = [0xf2, 0xff, 0x03, ...Buffer.alloc(65_523)];
    const bytes = moduleOf([], [0], [0x41, 0, 0x0e, ...labels]);
    expect(meterModule(validated(bytes))).toMatchObject({
      allowed: false,
      code: "WASM_BINARY_LIMIT",
    });
  });

  it("with more branches than are analysed is charged for each block, and reported", () => {
    const branches = Buffer.alloc(4 * 70_000, Uint8Array.of(0x20, 0, 0x0d, 0));
    const bytes = moduleOf([0x7f], [0], [0x02, 0x40, ...branches, 0x0b]);
    const module = metered(bytes);
    expect(module.fallbacks).toEqual([{ function: 0, reason: "too many branches" }]);
    expect(module.bytes).toHaveLength(metered(bytes, { placement: "per-block" }).bytes.length);
    expect(WebAssembly.validate(module.bytes)).toBe(true);
  });

  it("whose body becomes too long is refused with a code", () => {
    const branches = Buffer.alloc(4 * 460_000, Uint8Array.of(0x20, 0, 0x0d, 0));
    const bytes = moduleOf([0x7f], [0], [0x02, 0x40, ...branches, 0x0b]);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(meterModule(validated(bytes), { placement: "per-block" })).toMatchObject({
      allowed: false,
      code: "METERING_LIMIT",
    });
  });
});

it("1,000 small functions with 999 parameters each do not become megabytes", async () => {
  const many = (text: (index: number) => string): string =>
    Array.from({ length: 1_000 }, (_, index) => text(index)).join(" ");
  const bytes = await assembleWat(`(module (type $t (func (param ${"i32 ".repeat(999)})))
    (table (export "table") 1000 funcref) (elem (i32.const 0) ${many(String)})
    ${many(() => "(func (type $t))")} (func unreachable ${many((index) => `call ${index}`)}))`);
  expect(metered(bytes).bytes.length).toBeLessThan(20 * bytes.length);
});

/** A module with a memory and one function. */
function moduleOf(
  parameters: readonly number[],
  locals: readonly number[],
  code: readonly number[],
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(code.length + 100);
  const section = (id: number, content: readonly number[]): void => {
    writer.byte(id);
    writer.unsigned(content.length);
    for (const byte of content) writer.byte(byte);
  };
  writer.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  section(1, [1, 0x60, parameters.length, ...parameters, 0]);
  section(3, [1, 0]);
  section(5, [1, 0, 1]);
  const size = new ByteWriter(8);
  size.unsigned(locals.length + code.length + 1);
  section(10, [1, ...size.finish()].concat(locals, code, 0x0b));
  return writer.finish();
}
