import { createHash } from "node:crypto";

import { assembleWat } from "@glovebox/testkit";
import { type AbiRequirements, createWasmValidator } from "@glovebox/wasm-validator";
import { describe, expect, it } from "vitest";

import { engineSaying, localEngine, unreachableEngine } from "./engine.ts";
import { importsOf, moduleOf, section } from "./module-bytes.ts";

const FLAT: AbiRequirements = {
  abi: "flat",
  imports: [],
  exports: [
    { name: "memory", kind: "memory" },
    { name: "alloc", kind: "function" },
  ],
};
const HOSTED: AbiRequirements = {
  abi: "hosted",
  imports: [{ module: "extism:host/env", name: "alloc", kind: "function" }],
  openModules: ["extism:host/user"],
  linkedModules: ["codec"],
  exports: [],
};

describe("createWasmValidator", () => {
  it("hands out the very buffer that the engine judged", async () => {
    const given: Uint8Array[] = [];
    const engine = engineSaying({ imports: [], exports: [] }, (bytes) => void given.push(bytes));
    const decision = await createWasmValidator().validate(moduleOf(), engine);
    if (!decision.allowed) throw new Error(decision.reason);
    expect(decision.value.bytes).toBe(given[0]);
  });

  it("answers a frozen proof with a private copy, its digest and the verdict", async () => {
    const bytes = await assembleWat(
      `(module (memory (export "memory") 1) (func (export "alloc") (param i32) (result i32) i32.const 0))`,
    );
    const decision = await createWasmValidator().validate(bytes, localEngine, FLAT);
    if (!decision.allowed) throw new Error(decision.reason);
    const { value } = decision;
    expect(value.bytes).toEqual(bytes);
    expect(value.bytes.buffer).not.toBe(bytes.buffer);
    expect(value.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(value.verdict).toEqual({
      imports: [],
      exports: [
        { name: "memory", kind: "memory" },
        { name: "alloc", kind: "function" },
      ],
    });
    expect(
      [value, value.verdict, value.verdict.exports, value.verdict.exports[0]].every(
        Object.isFrozen,
      ),
    ).toBe(true);
  });

  it("takes the module as it is when no ABI is asked for", async () => {
    expect(await createWasmValidator().validate(moduleOf(), localEngine)).toMatchObject({
      allowed: true,
    });
  });

  it("refuses by size before it copies or reads, and an empty file", async () => {
    const validator = createWasmValidator({ maxModuleBytes: 16 });
    for (const bytes of [new Uint8Array(17), new Uint8Array(0), new Uint8Array(7)]) {
      expect(await validator.validate(bytes, unreachableEngine)).toMatchObject({
        code: "WASM_SIZE",
        rule: "wasm.size",
      });
    }
    expect(await validator.validate(moduleOf(section(0, 1, 0x78)), localEngine)).toMatchObject({
      allowed: true,
    });
  });

  it("refuses text, a component and another version, each by its code", async () => {
    const validator = createWasmValidator();
    const cases: [Uint8Array, string][] = [
      [new TextEncoder().encode("(module)"), "WASM_MAGIC"],
      [Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), "WASM_VERSION"],
      [Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), "WASM_VERSION"],
    ];
    for (const [bytes, code] of cases) {
      expect(await validator.validate(bytes, unreachableEngine)).toMatchObject({
        allowed: false,
        code,
      });
    }
  });

  it("passes on the engine's refusal of a module that is well-formed and invalid", async () => {
    const bytes = await assembleWat(`(module (func (result i32)))`, { validate: false });
    expect(await createWasmValidator().validate(bytes, localEngine)).toMatchObject({
      allowed: false,
      code: "TEST_ENGINE",
    });
  });

  it("refuses when the engine fails (I9)", async () => {
    expect(await createWasmValidator().validate(moduleOf(), unreachableEngine)).toMatchObject({
      allowed: false,
      code: "CORE_CHECK_FAILED",
    });
  });

  it("allows what the ABI provides, exactly in its kind, and functions of open modules", async () => {
    const validator = createWasmValidator();
    const good = await assembleWat(`(module
      (import "extism:host/env" "alloc" (func)) (import "extism:host/user" "anything" (func))
      (import "codec" "memory" (memory 1)) (import "codec" "g" (global i32)))`);
    expect(await validator.validate(good, localEngine, HOSTED)).toMatchObject({ allowed: true });
    const bad = await assembleWat(`(module
      (import "extism:host/env" "alloc" (global i32)) (import "extism:host/env" "reset" (func))
      (import "extism:host/user" "memory" (memory 1)) (import "env" "abort" (func)))`);
    expect(await validator.validate(bad, unreachableEngine, HOSTED)).toEqual({
      allowed: false,
      code: "WASM_IMPORT_NOT_ALLOWED",
      rule: "wasm.imports",
      reason:
        'a module of the ABI hosted may not import global "extism:host/env.alloc", function "extism:host/env.reset", memory "extism:host/user.memory", function "env.abort"',
    });
  });

  it.each([
    ["a table of functions", `(import "a" "x" (table 1 funcref))`, "(table 1 (ref null func))"],
    ["a reference to a function", `(import "a" "x" (global funcref))`, "(global (ref null func))"],
    [
      "a function that gives one",
      `(import "a" "x" (func (result funcref)))`,
      "(func (result (ref null func)))",
    ],
    [
      "a function that takes a vector",
      `(import "a" "x" (func (param v128)))`,
      "(func (param v128))",
    ],
  ])("refuses %s of a linked module where only plain values may pass", async (_, text, type) => {
    const bytes = await assembleWat(`(module ${text})`, { simd: true, reference_types: true });
    const linked = { ...HOSTED, linkedModules: ["a"] };
    const validator = createWasmValidator();
    const plain = { ...linked, linkedValues: "plain" } as const;
    expect(await validator.validate(bytes, unreachableEngine, plain)).toMatchObject({
      code: "WASM_LINK_TYPE",
      rule: "wasm.links",
      reason: `a module of the ABI hosted may not import from another of the plugin's modules "a.x" of type ${type}`,
    });
    expect(await validator.validate(bytes, localEngine, linked)).toMatchObject({ allowed: true });
  });

  it("lets memories, numbers and the host's references pass between linked modules", async () => {
    const bytes = await assembleWat(
      `(module (import "a" "m" (memory 1 2)) (import "a" "g" (global (mut i64)))
        (import "a" "f" (func (param i32 f32 externref) (result i64 f64)))
        (import "a" "t" (table 1 10 externref)))`,
      { reference_types: true, mutable_globals: true },
    );
    const requirements = { ...HOSTED, linkedModules: ["a"], linkedValues: "plain" } as const;
    const decision = await createWasmValidator().validate(bytes, localEngine, requirements);
    expect(decision).toMatchObject({ allowed: true });
  });

  it("names ten imports and counts the rest", async () => {
    const imports = Array.from({ length: 25 }, (_, index): [string, string] => [
      "env",
      `f${index}`,
    ]);
    const decision = await createWasmValidator().validate(
      moduleOf(importsOf(...imports)),
      unreachableEngine,
    );
    expect(decision).toMatchObject({ reason: expect.stringMatching(/"env\.f9" and 15 more$/) });
  });

  it("names every export that is missing or of another kind", async () => {
    const bytes = await assembleWat(`(module (global (export "alloc") i32 (i32.const 0)))`);
    expect(await createWasmValidator().validate(bytes, unreachableEngine, FLAT)).toMatchObject({
      code: "WASM_EXPORT_MISSING",
      rule: "wasm.exports",
      reason:
        'a module of the ABI flat has to export memory "memory", function "alloc" and not a global',
    });
  });

  it("reads every kind of import and export as the engine does", async () => {
    const bytes = await assembleWat(
      `(module
        (import "a" "f" (func (param i64) (result i32)))
        (import "a" "t" (table 1 funcref))
        (import "a" "t2" (table 0 10 externref))
        (import "a" "m" (memory 1 2))
        (import "a" "g" (global (mut i64)))
        (import "a" "" (global f64))
        (import "" "\\cf\\80/x.y" (func))
        (import "a" "e" (tag (param i32)))
        (export "f" (func 0)) (export "t" (table 0)) (export "m" (memory 0))
        (export "g" (global 0)) (export "e" (tag 0)) (export "" (func 1)))`,
      { exceptions: true, reference_types: true, mutable_globals: true },
    );
    const policy = { allowedImportPatterns: ["a.*"] };
    const requirements = { ...HOSTED, linkedModules: ["a", ""] };
    const decision = await createWasmValidator(policy).validate(bytes, localEngine, requirements);
    expect(decision).toMatchObject({ allowed: true });
  });

  it.each([
    ["no imports at all", { exports: [] }],
    ["an import more", { imports: [{ module: "env", name: "f", kind: "function" }], exports: [] }],
    ["an export more", { imports: [], exports: [{ name: "x", kind: "function" }] }],
    ["nothing", undefined],
    ["a list that is none", { imports: { length: 0 }, exports: [] }],
  ])("refuses when the engine reads %s", async (_, verdict) => {
    expect(
      await createWasmValidator().validate(moduleOf(), engineSaying(verdict ?? {})),
    ).toMatchObject({
      allowed: false,
      code: "WASM_DISAGREEMENT",
    });
  });

  it("refuses when the engine reads another name, kind or order", async () => {
    const bytes = moduleOf(importsOf(["env", "a"], ["env", "b"]));
    const validator = createWasmValidator({ allowedImportPatterns: ["env.*"] });
    const a = { module: "env", name: "a", kind: "function" };
    const b = { module: "env", name: "b", kind: "function" };
    const wrong = [
      [b, a],
      [a, { ...b, kind: "global" }],
      [a, { ...b, module: "env2" }],
      [a, null],
      [a, 7],
    ];
    for (const imports of wrong) {
      const decision = await validator.validate(bytes, engineSaying({ imports, exports: [] }));
      expect(decision).toMatchObject({
        code: "WASM_DISAGREEMENT",
        reason: expect.stringContaining("entry"),
      });
    }
    const right = engineSaying({ imports: [a, b], exports: [] });
    expect(await validator.validate(bytes, right)).toMatchObject({ allowed: true });
  });
});
