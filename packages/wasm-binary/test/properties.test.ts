/** @module For any bytes: known codes, bounded work, agreement with the engine, no matter how they arrive. */
import { assembleWat } from "@glovebox/testkit";
import {
  type ModulePart,
  ModuleParser,
  readModule,
  WASM_BINARY_ERRORS,
  WasmBinaryError,
} from "@glovebox/wasm-binary";
import { writeModule } from "@glovebox/wasm-binary/write";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { moduleOf } from "./module-bytes.ts";

const KNOWN = new Set(Object.keys(WASM_BINARY_ERRORS));
const WAT = `(module
  (import "env" "f" (func (param i32)))
  (memory 1 2) (table 3 funcref) (global (mut f64) (f64.const 1))
  (elem (i32.const 0) 0 1) (data (i32.const 8) "text")
  (func (export "x") (param i64) (result i32) (local v128 f32)
    (block (loop (br_if 1 (i64.eqz (local.get 0))) (br_table 0 1 0 (i32.const -300))))
    (local.set 1 (v128.load offset=200 (i32.const 3)))
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
    (if (result i32) (i32.const 1) (then (i32.const 5)) (else (call 0 (i32.const 6)) (i32.const 7)))))`;

/** What the reader refuses the engine refuses too, and what it takes it can write again. */
function expectAgreement(bytes: Uint8Array): void {
  const decision = readModule(bytes);
  const isSound = decision.allowed
    ? Buffer.compare(writeModule(decision.value), bytes) === 0
    : KNOWN.has(decision.code) && !WebAssembly.validate(bytes);
  expect(isSound || [...bytes]).toBe(true);
}

describe("any bytes", () => {
  it("are read, or refused with a known code as by the engine", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ maxLength: 64 }).map((tail) => moduleOf(tail)),
    );
    fc.assert(fc.property(bytes, expectAgreement), { numRuns: 2_000 });
  });

  it("made by flipping any bit of a module are judged as by the engine", async () => {
    const original = await assembleWat(WAT, { bulk_memory: true, simd: true });
    expectAgreement(original);
    expect(readModule(original).allowed).toBe(true);
    for (let bit = 0; bit < 8 * original.length; bit++) {
      const bytes = original.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      expectAgreement(bytes);
    }
  });

  it("made by changing several bytes of a module are judged as by the engine", async () => {
    const original = await assembleWat(WAT, { bulk_memory: true, simd: true });
    const change = fc.record({ at: fc.nat(original.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(original.length), (changes, cut) => {
        const bytes = original.slice();
        for (const { at, to } of changes) bytes[at] = to;
        expectAgreement(bytes);
        expectAgreement(bytes.subarray(0, cut));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("a module that arrives in pieces", () => {
  it("has the same parts wherever it is cut, and says the same of what is wrong", async () => {
    const original = await assembleWat(WAT, { bulk_memory: true, simd: true });
    const change = fc.record({ at: fc.nat(original.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 1 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }),
        (changes, sizes) => {
          const bytes = original.slice();
          for (const { at, to } of changes) bytes[at] = to;
          expect(partsOf(bytes, sizes)).toEqual(partsOf(bytes, [bytes.length]));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("asks for what is missing and never for less than a byte", async () => {
    const parser = new ModuleParser();
    expect(parser.parse(moduleOf().subarray(0, 3), false)).toEqual({ kind: "need-more", bytes: 5 });
    expect(parser.parse(moduleOf(), false)).toMatchObject({ kind: "parsed", consumed: 8 });
    expect(parser.parse(Uint8Array.of(5, 0x83, 0x80), false)).toEqual({
      kind: "need-more",
      bytes: 1,
    });
    expect(parser.parse(Uint8Array.of(5, 3, 1), false)).toEqual({ kind: "need-more", bytes: 2 });
    expect(() => parser.parse(Uint8Array.of(5, 3, 1), true)).toThrow(WasmBinaryError);
  });
});

/** The parts of `bytes` given in pieces of the sizes, over and over; an error as its code. */
function partsOf(bytes: Uint8Array, sizes: readonly number[]): readonly (ModulePart | string)[] {
  const parser = new ModuleParser();
  const parts: (ModulePart | string)[] = [];
  let given = 0;
  for (let turn = 0; ; turn++) {
    given = Math.min(bytes.length, given + (sizes[turn % sizes.length] as number));
    try {
      for (;;) {
        const step = parser.parse(bytes.subarray(parser.offset, given), given === bytes.length);
        if (step.kind === "need-more") break;
        parts.push(step.part);
        if (step.part.kind === "end") return parts;
      }
    } catch (error) {
      if (!(error instanceof WasmBinaryError)) throw error;
      return [...parts, `${error.code} ${error.offset}`];
    }
  }
}
