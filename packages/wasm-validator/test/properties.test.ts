/** @module For any bytes: no throw, bounded answers, and agreement with the engine on what it accepts. */
import { assembleWat } from "@glovebox/testkit";
import { createWasmValidator, inspectModule, WASM_ERRORS } from "@glovebox/wasm-validator";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { localEngine } from "./engine.ts";
import { moduleOf } from "./module-bytes.ts";

const validator = createWasmValidator({ allowedImportPatterns: ["**.**", "*.*"] });

async function codeFor(bytes: Uint8Array): Promise<string> {
  const report = inspectModule(bytes);
  for (const { offset, size } of report.sections)
    expect(offset + size).toBeLessThanOrEqual(bytes.length);
  const decision = await validator.validate(bytes, localEngine);
  return decision.allowed ? "allowed" : decision.code;
}

describe("any bytes", () => {
  const known = new Set(["allowed", "TEST_ENGINE", ...Object.keys(WASM_ERRORS)]);
  known.delete("WASM_DISAGREEMENT");

  it("are answered with a decision of a known code, never with a throw or a disagreement", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ maxLength: 64 }).map((tail) => moduleOf([...tail])),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (input) => {
        expect([...known]).toContain(await codeFor(input));
      }),
      { numRuns: 1_000 },
    );
  });

  it("made by changing a real module agree with the engine wherever both accept", async () => {
    const original = await assembleWat(
      `(module (import "env" "f" (func (param i32))) (import "env" "m" (memory 1 2))
        (import "env" "t" (table 1 funcref)) (import "env" "g" (global (mut i32)))
        (export "f" (func 0)) (export "m" (memory 0)) (func (export "x") (call 0 (i32.const 1))))`,
    );
    const change = fc.record({ at: fc.nat(original.length - 1), to: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 3 }),
        fc.nat(original.length),
        async (changes, cut) => {
          const bytes = original.slice();
          for (const { at, to } of changes) bytes[at] = to;
          expect([...known]).toContain(await codeFor(bytes));
          expect([...known]).toContain(await codeFor(bytes.subarray(0, cut)));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
