/** @module Modules made to cost the engine much more than their bytes (CWE-400, CWE-405). */
import "@glovebox/testkit/matchers";
import { createWasmValidator } from "@glovebox/wasm-validator";
import { expect, it } from "vitest";

import { unreachableEngine } from "../engine.ts";
import { moduleOf, ONE_TYPE, section, u32 } from "../module-bytes.ts";

const ONE_FUNCTION = section(3, 1, 0);

/** One function with this body, locals and operators. */
function codeOf(...body: readonly (number | readonly number[])[]): number[] {
  const bytes = body.flat();
  return section(10, 1, u32(bytes.length), bytes);
}

const validator = createWasmValidator();

it("compile-bomb: many locals times many blocks are refused before any engine compiles them", async () => {
  // A baseline compiler brings all locals together at each of the blocks.
  const blocks = Array.from({ length: 2_000 }, () => [0x02, 0x40, 0x0b]).flat();
  const bomb = moduleOf(ONE_TYPE, ONE_FUNCTION, codeOf(1, u32(50_000), 0x7f, blocks, 0x0b));
  expect(bomb.length).toBeLessThan(7_000);
  expect(await validator.validate(bomb, unreachableEngine)).toRefuse("WASM_COMPILE_COST");
});

it("locals-bomb: a body of ten bytes does not declare four thousand million locals", async () => {
  const bomb = moduleOf(ONE_TYPE, ONE_FUNCTION, codeOf(1, u32(0xffff_ffff), 0x7f, 0x0b));
  expect(await validator.validate(bomb, unreachableEngine)).toRefuse("WASM_LIMIT");
});

it("nesting-bomb: 100,000 blocks inside each other are refused", async () => {
  const open = Array.from({ length: 100_000 }, () => [0x02, 0x40]).flat();
  const close = Array.from({ length: 100_000 }, () => 0x0b);
  const bomb = moduleOf(ONE_TYPE, ONE_FUNCTION, codeOf(0, open, close, 0x0b));
  expect(await validator.validate(bomb, unreachableEngine)).toMatchObject({
    code: "WASM_LIMIT",
    rule: "wasm.limits.nesting",
  });
});

it("table-bomb: twelve bytes do not fill tables with twenty million elements", async () => {
  const bomb = moduleOf(section(4, 2, 0x70, 0, u32(10_000_000), 0x70, 0, u32(10_000_000)));
  expect(await validator.validate(bomb, unreachableEngine)).toRefuse("WASM_INSTANTIATION_COST");
});

it("memory-bomb: a memory that begins with more than 4 GiB is refused", async () => {
  const bomb = moduleOf(section(5, 1, 4, u32(65_537)));
  expect(await validator.validate(bomb, unreachableEngine)).toMatchObject({
    code: "WASM_LIMIT",
    rule: "wasm.limits.memoryPages",
  });
});
