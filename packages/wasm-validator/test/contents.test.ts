import "@glovebox/testkit/matchers";
import { assembleWat } from "@glovebox/testkit";
import { createWasmValidator, type WasmPolicy } from "@glovebox/wasm-validator";
import { describe, expect, it, test } from "vitest";

import { localEngine, unreachableEngine } from "./engine.ts";
import { moduleOf, name as nameOf, section } from "./module-bytes.ts";

async function decide(text: string, policy: WasmPolicy, engine = unreachableEngine) {
  const bytes = await assembleWat(text, {
    validate: false,
    exceptions: true,
    memory64: true,
    threads: true,
    tail_call: true,
  });
  return createWasmValidator(policy).validate(bytes, engine);
}

describe("limits on structure", () => {
  it.each<[keyof NonNullable<WasmPolicy["limits"]>, string, number]>([
    ["types", "(module (type (func)) (type (func (param i32))))", 1],
    ["functions", "(module (func) (func))", 1],
    ["tables", "(module (table 0 funcref) (table 0 funcref))", 1],
    ["globals", "(module (global i32 (i32.const 0)))", 0],
    ["tags", "(module (tag))", 0],
    ["elementSegments", "(module (func $f) (elem func $f))", 0],
    ["elements", "(module (func $f) (elem func $f $f $f))", 2],
    ["dataSegments", '(module (memory 1) (data "a"))', 0],
    ["parameters", "(module (type (func (param i32 i32))))", 1],
    ["results", "(module (type (func (result i32 i32))))", 1],
    ["bodyBytes", "(module (func nop nop nop nop))", 5],
    ["locals", "(module (func (local i32 i32 i64)))", 2],
    ["nesting", "(module (func block block end end))", 2],
    ["branchTargets", "(module (func i32.const 0 br_table 0 0 0))", 2],
    ["memoryPages", "(module (memory 3))", 2],
    ["tableElements", "(module (table 3 funcref))", 2],
  ])("%s", async (name, text, limit) => {
    const decision = await decide(text, { limits: { [name]: limit } });
    expect(decision).toRefuse("WASM_LIMIT");
    expect(decision).toMatchObject({ rule: `wasm.limits.${name}` });
    const roomier = await decide(text, { limits: { [name]: limit + 1000 } });
    expect(roomier).not.toMatchObject({ code: "WASM_LIMIT" });
  });

  it.each<[keyof NonNullable<WasmPolicy["limits"]>, Uint8Array, number]>([
    ["memories", moduleOf(section(5, 2, 0, 0, 0, 0)), 1],
    ["customBytes", moduleOf(section(0, nameOf("x"), 1, 2, 3, 4)), 5],
    ["fields", moduleOf(section(1, 1, 0x5f, 2, 0x7f, 0, 0x7f, 0)), 1],
  ])("%s, in modules that no assembler here writes", async (name, bytes, limit) => {
    const decision = await createWasmValidator({ limits: { [name]: limit } }).validate(
      bytes,
      unreachableEngine,
    );
    expect(decision).toRefuse("WASM_LIMIT");
    expect(decision).toMatchObject({ rule: `wasm.limits.${name}` });
  });

  test("name the function and its offset", async () => {
    const decision = await decide("(module (func) (func (local i32 i32)))", {
      limits: { locals: 1 },
    });
    expect(decision).toMatchObject({
      reason: expect.stringMatching(
        /^the module has locals 2 in function 1 \(at byte \d+\); at most 1 /,
      ),
    });
  });

  it.each<[Record<string, number>, string]>([
    [{ locals: -1 }, "locals is a whole number"],
    [{ locals: Number.NaN }, "locals is a whole number"],
    [{ local: 1 }, "there is no limit called local"],
  ])("are checked when the validator is made: %j", (limits, message) => {
    expect(() => createWasmValidator({ limits })).toThrow(message);
  });
});

describe("features", () => {
  it.each([
    ["threads", "(module (memory 1 1 shared))"],
    ["threads", "(module (memory 1) (func (atomic.fence)))"],
    ["simd", "(module (func (local v128) (drop (v128.not (local.get 0)))))"],
    ["simd", "(module (func (param v128)))"],
    ["tail-call", "(module (func $f (return_call $f)))"],
    ["exception-handling", "(module (tag))"],
    ["memory64", "(module (memory i64 1))"],
    ["multi-value", "(module (type (func (result i32 i32))))"],
    ["mutable-globals", '(module (global (export "g") (mut i32) (i32.const 0)))'],
    ["extended-const", "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))"],
    ["bulk-memory", '(module (memory 1) (data "a"))'],
    [
      "bulk-memory",
      "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))",
    ],
    ["sign-extension", "(module (func (drop (i32.extend8_s (i32.const 0)))))"],
    ["reference-types", "(module (func (param externref)))"],
  ] as const)("%s is found in %s", async (feature, text) => {
    const decision = await decide(text, { allowedFeatures: [] });
    expect(decision).toRefuse("WASM_FEATURE");
    expect(decision).toMatchObject({ reason: expect.stringContaining(feature) });
  });

  it.each([
    ["gc", "a struct type", moduleOf(section(1, 1, 0x5f, 0))],
    ["gc", "anyref", moduleOf(section(1, 1, 0x60, 1, 0x6e, 0))],
    ["gc", "a recursive group", moduleOf(section(1, 1, 0x4e, 1, 0x60, 0, 0))],
    ["gc", "ref.i31 in a constant", moduleOf(section(6, 1, 0x6c, 0, 0x41, 1, 0xfb, 0x1c, 0x0b))],
    ["multi-memory", "two memories", moduleOf(section(5, 2, 0, 0, 0, 0))],
    [
      "function-references",
      "a typed reference",
      moduleOf(section(1, 2, 0x60, 0, 0, 0x60, 1, 0x64, 0, 0)),
    ],
  ] as const)("%s is found in %s", async (feature, _, bytes) => {
    const decision = await createWasmValidator({ allowedFeatures: [] }).validate(
      bytes,
      unreachableEngine,
    );
    expect(decision).toRefuse("WASM_FEATURE");
    expect(decision).toMatchObject({ reason: expect.stringContaining(feature) });
  });

  test("a module of WebAssembly 1.0 needs none", async () => {
    const text =
      '(module (memory (export "m") 1) (global i32 (i32.const -1)) (func (drop (i32.const 1))))';
    expect(await decide(text, { allowedFeatures: [] }, localEngine)).toMatchObject({
      allowed: true,
    });
  });

  test("gc is left out by default, and can be allowed", async () => {
    const bytes = moduleOf(section(1, 1, 0x5f, 1, 0x7f, 0));
    expect(await createWasmValidator().validate(bytes, unreachableEngine)).toRefuse("WASM_FEATURE");
    const open = createWasmValidator({ allowedFeatures: ["gc"] });
    expect(await open.validate(bytes, localEngine)).toMatchObject({ allowed: true });
  });

  test("an unknown one is the programmer's mistake", () => {
    expect(() => createWasmValidator({ allowedFeatures: ["gcc" as "gc"] })).toThrow(
      /no feature called gcc/,
    );
  });
});

describe("start function, custom sections, costs", () => {
  test("a start function is refused where the policy says so", async () => {
    const text = "(module (func $f) (start $f))";
    expect(await decide(text, { startFunction: "refuse" })).toRefuse("WASM_START");
    expect(await decide(text, {}, localEngine)).toMatchObject({ allowed: true });
    expect(() => createWasmValidator({ startFunction: "no" as "allow" })).toThrow(
      /allow or refuse/,
    );
  });

  test("custom sections are allowed by name", async () => {
    const bytes = moduleOf(section(0, nameOf("name.ok")), section(0, nameOf("other")));
    const narrow = createWasmValidator({ allowedCustomSections: ["name.*"] });
    const decision = await narrow.validate(bytes, unreachableEngine);
    expect(decision).toRefuse("WASM_CUSTOM_SECTION");
    expect(decision).toMatchObject({ reason: expect.stringContaining('"other"') });
    const wide = createWasmValidator({ allowedCustomSections: ["*"] });
    expect(await wide.validate(bytes, localEngine)).toMatchObject({ allowed: true });
  });

  test("an import is allowed by name and type", async () => {
    const text = '(module (import "env" "f" (func (param i32 i64) (result f64))))';
    const allow = (type: string) => ({ allowedImportPatterns: [{ pattern: "env.*", type }] });
    const right = allow("(func (param i32 i64) (result f64))");
    expect(await decide(text, right, localEngine)).toMatchObject({ allowed: true });
    expect(await decide(text, allow("(func (param i32))"))).toRefuse("WASM_IMPORT_NOT_ALLOWED");
    expect(() => createWasmValidator(allow("i32 -> i32"))).toThrow(/a type is written as/);
  });

  test("an ABI can ask for types, and the reason names both", async () => {
    const bytes = await assembleWat(
      '(module (import "host" "f" (func (param i32))) (func (export "run") (result i64) (i64.const 0)))',
    );
    const validator = createWasmValidator();
    const imports = [
      { module: "host", name: "f", kind: "function", type: "(func (param i64))" },
    ] as const;
    const asked = { abi: "typed", imports, exports: [] };
    expect(await validator.validate(bytes, unreachableEngine, asked)).toMatchObject({
      code: "WASM_IMPORT_NOT_ALLOWED",
      reason: expect.stringContaining("as (func (param i32)) and not (func (param i64))"),
    });
    const exports = [{ name: "run", kind: "function", type: "(func (result i32))" }] as const;
    const wanted = { abi: "typed", imports: [], openModules: ["host"], exports };
    expect(await validator.validate(bytes, unreachableEngine, wanted)).toMatchObject({
      code: "WASM_EXPORT_MISSING",
      reason: expect.stringContaining("as (func (result i32)) and not (func (result i64))"),
    });
  });
});
