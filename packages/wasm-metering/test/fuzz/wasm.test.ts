/**
 * @module A bounded run of the fuzzer; `npm run -s fuzz -- wasm --minutes N` goes on for longer. The
 * count of every program is compared with that of an interpreter.
 */
import { assembleWat } from "@glovebox/testkit";
import { describe, expect, it } from "vitest";

import { Interpreter } from "./interpreter.ts";
import { problemOf } from "./judge.ts";
import { fuzzWasm } from "./wasm.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 12);
const FIRST = Number(process.env["FUZZ_SEED"] ?? 1);
const TIMEOUT_MS = 300_000;

describe("generated modules and changed bytes", () => {
  it.each(Array.from({ length: RUNS }, (_, index) => FIRST + index))(
    "hold in the run of seed %i",
    { timeout: TIMEOUT_MS },
    (seed) => {
      expect(fuzzWasm(seed)).toBeUndefined();
    },
  );
});

describe("the interpreter", () => {
  it("counts by the cost table", async () => {
    const bytes = await assembleWat(`(module
      (memory (export "memory") 1)
      (func (param i32 i64) (result i32)
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 80))
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i32.div_u (i32.const 7) (i32.const 2))))`);
    const interpreter = new Interpreter(bytes);
    expect(interpreter.call(0, [5, 0n])).toEqual([3]);
    // Entry 1; filling 3 + 10 + 80 / 8; five turns of 5; dividing 2 + 10.
    expect(interpreter.units).toBe(1n + 23n + 25n + 12n);
  });

  it("is what the judge compares the count with", async () => {
    const text = (more: string): string => `(module
      (memory (export "memory") 1)
      ${["i32", "i32", "i64", "f32", "f64"].map((type, index) => `(global (export "g${index}") (mut ${type}) (${type}.const 0))`).join("")}
      (func (export "run") (param i32 i64) (result i32) ${more} (i32.const 3)))`;
    const sound = Uint8Array.from(await assembleWat(text("")));
    expect(problemOf(sound, true)).toBeUndefined();
    const unknown = Uint8Array.from(
      await assembleWat(text("(drop (i32x4.splat (i32.const 1)))"), { simd: true }),
    );
    expect(() => problemOf(unknown, true)).toThrow("the interpreter does not know i32x4.splat");
    expect(problemOf(unknown, false)).toBeUndefined();
  });
});
