/**
 * @module Modules that name, in code that may never run, what metering will append: a global that
 * holds the fuel, a local, a function, a type, a label (CWE-913). The engine refuses them; these
 * tests stand for an engine that did not.
 */
import { assembleWat } from "@glovebox/testkit";
import { meterModule } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { validated } from "../run-module.ts";

const LOOP = "(loop (br 0))";

describe("a module that names what it does not have is refused", () => {
  it.each<[string, string]>([
    ["the fuel global", `(func (global.set 0 (i64.const 36028797018963967)) ${LOOP})`],
    ["the fuel global in dead code", `(func (unreachable) (global.set 0 (i64.const 9)))`],
    [
      "the fuel global behind its own",
      `(global i32 (i32.const 0)) (func (global.set 1 (i64.const 9)))`,
    ],
    ["the fuel global as an initial value", `(global i64 (global.get 1))`],
    ["the fuel global as an export", `(export "mine" (global 0))`],
    ["the function that ends a call", `(func (call 1))`],
    ["that function in dead code", `(func (return) (call 1))`],
    ["that function as an element", `(table 1 funcref) (elem (i32.const 0) 1) (func)`],
    ["that function by reference", `(elem declare func 1) (func (drop (ref.func 1)))`],
    ["that function as an export", `(export "mine" (func 1)) (func)`],
    ["that function as the start", `(start 1) (func)`],
    ["an added type of a call", `(table 1 funcref) (func (call_indirect (type 1) (i32.const 0)))`],
    [
      "an added local",
      `(memory 1) (func (local.set 0 (i32.const 1)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))`,
    ],
    ["an added block", `(func (br 1))`],
    ["an added block in dead code", `(func (unreachable) (br_table 0 1 (i32.const 0)))`],
    ["a table that is none", `(func (drop (table.get 0 (i32.const 0))))`],
    ["a memory that is none", `(func (drop (i32.load (i32.const 0))))`],
  ])("%s", async (_, body) => {
    const bytes = await assembleWat(`(module ${body})`, {
      validate: false,
      reference_types: true,
      multi_value: true,
    });
    expect(WebAssembly.validate(Uint8Array.from(bytes))).toBe(false);
    expect(meterModule(validated(bytes))).toMatchObject({ allowed: false, code: "METERING_INDEX" });
  });
});

it("bytes that are not those that were validated are refused", async () => {
  const proof = validated(await assembleWat(`(module (func))`));
  const forged = await assembleWat(`(module (func (loop (br 0))))`);
  expect(meterModule({ ...proof, bytes: forged })).toMatchObject({ code: "METERING_DIGEST" });
});
