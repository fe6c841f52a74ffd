import { assembleWat } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { FLAT_BASE, flatPlugin } from "./support/fixtures.ts";
import { codeOf, loadPlugin, type OpenPlugin, openPlugin, textOf } from "./support/open-plugin.ts";

const PLUGIN = flatPlugin(`
  (global $calls (mut i32) (i32.const 0))
  (func (export "packed") (param i32 i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1))))
  (func (export "count") (param i32 i32) (result i32 i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 0) (i32.add (i32.const 48) (global.get $calls)))
    (i32.const 0) (i32.const 1))
  (func (export "count_too_much") (param i32 i32) (result i32 i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.const 0) (i32.const 100001))
  (func (export "trap") (param i32 i32) (result i32 i32) unreachable)
  (func (export "recurse") (param i32 i32) (result i32 i32) (call $deep) (i32.const 0) (i32.const 0))
  (func $deep (call $deep) (call $deep))
  (func (export "minus_one") (param i32 i32) (result i32 i32) (i32.const -1) (i32.const 1))
  (func (export "huge") (param i32 i32) (result i32 i32) (i32.const 0) (i32.const 0x7fffffff))
  (func (export "nothing") (param i32 i32))
  (func (export "one_number") (param i32 i32) (result i32) (i32.const 5))
  (func (export "no_parameters") (result i32 i32) (i32.const 0) (i32.const 0))
  (func (export "grow") (param i32 i32) (result i32 i32)
    (i32.store8 (i32.const 0) (select (i32.const 110) (i32.const 121)
      (i32.eq (memory.grow (i32.const 2000)) (i32.const -1))))
    (i32.const 0) (i32.const 1))
  (func (export "four_pages") (param i32 i32) (result i32 i32) (drop (memory.grow (i32.const 2))) (i32.const 0) (i32.const 200000))
`);

const UNREACHABLE = 0x00;
const END = 0x0b;

describe("the flat ABI", () => {
  let open: OpenPlugin;
  beforeAll(async () => {
    open = await openPlugin(PLUGIN, { limits: { outputBytes: 100_000 } });
  });
  afterAll(() => open[Symbol.asyncDispose]());

  it("carries bytes in and out through two results or a packed one", async () => {
    expect(textOf(await open.call("echo", "hello"))).toBe("hello");
    expect(textOf(await open.call("packed", "hello"))).toBe("hello");
  });

  it("carries an empty input", async () => {
    expect(textOf(await open.call("echo", ""))).toBe("");
  });

  it("measures what a call used", async () => {
    const { usage } = await open.call("echo", "hello");
    expect(usage).toMatchObject({
      inputBytes: 5,
      outputBytes: 5,
      memoryPeakBytes: 131_072,
      instructions: null,
    });
    expect(usage.wallMs).toBeGreaterThan(0);
    expect(usage.cpuMs ?? 0).toBeGreaterThanOrEqual(0);
  });

  it("keeps the instance between calls, and makes a fresh one after a trap", async () => {
    const first = Number(textOf(await open.call("count")));
    expect(Number(textOf(await open.call("count")))).toBe(first + 1);
    expect(codeOf(await open.call("trap"))).toBe("SANDBOX_TRAP");
    expect(textOf(await open.call("count"))).toBe("1");
  });

  it("says where in the module a trap was, and no names", async () => {
    const outcome = await open.call("trap");
    const frames = outcome.ok ? undefined : outcome.error.details["frames"];
    const bytes = await assembleWat(PLUGIN);
    const [first, ...others] = frames as readonly { function: number; offset: number }[];
    expect(others).toEqual([]);
    expect(bytes[first?.offset ?? 0]).toBe(UNREACHABLE);
    expect(bytes[(first?.offset ?? 0) + 1]).toBe(END);
    // The innermost ten calls of very many.
    const deep = await open.call("recurse");
    expect(deep.ok || deep.error.details["frames"]).toHaveLength(10);
  });

  it("answers a stack overflow with a trap, and goes on", async () => {
    expect(codeOf(await open.call("recurse"))).toBe("SANDBOX_TRAP");
    expect(textOf(await open.call("echo", "still here"))).toBe("still here");
  });

  it.each(["minus_one", "huge"])(
    "refuses the range that %s answers before reading a byte",
    async (name) => {
      expect(codeOf(await open.call(name))).toBe("SANDBOX_OUTPUT_RANGE");
    },
  );

  it.each(["nothing", "one_number"])("refuses the result type of %s", async (name) => {
    expect(codeOf(await open.call(name))).toBe("SANDBOX_ABI");
  });

  it.each(["no_parameters", "absent", "alloc", "memory", "__proto__", "constructor"])(
    "refuses to call %s",
    async (name) => {
      expect(codeOf(await open.call(name))).toBe("SANDBOX_EXPORT_MISSING");
    },
  );

  it("refuses an output above the limit", async () => {
    expect(codeOf(await open.call("four_pages"))).toBe("SANDBOX_OUTPUT_SIZE");
  });

  it("lets memory grow up to the limit and no further", async () => {
    await using small = await openPlugin(PLUGIN, { limits: { memoryBytes: 8 * 2 ** 20 } });
    expect(textOf(await small.call("grow"))).toBe("n");
    await using large = await openPlugin(PLUGIN, { limits: { memoryBytes: 256 * 2 ** 20 } });
    expect(textOf(await large.call("grow"))).toBe("y");
  });

  it("refuses an input above the limit without a call", async () => {
    await using small = await openPlugin(PLUGIN, { limits: { inputBytes: 10 } });
    expect(codeOf(await small.call("echo", "eleven bytes"))).toBe("SANDBOX_INPUT_SIZE");
  });

  it("carries three mebibytes in chunks", async () => {
    const bytes = new Uint8Array(3 * 2 ** 20).map((_, at) => at % 251);
    await using large = await openPlugin(`(module
      (memory (export "memory") 60)
      (func (export "alloc") (param i32) (result i32) (i32.const 0))
      (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))`);
    const outcome = await large.call("echo", bytes);
    expect(outcome.ok && Buffer.compare(outcome.output, bytes)).toBe(0);
  });

  it("calls dealloc for input and output, and keeps the output that it overwrites", async () => {
    await using deallocating = await openPlugin(`(module ${FLAT_BASE}
      (global $freed (mut i32) (i32.const 0))
      (func (export "dealloc") (param i32 i32)
        (global.set $freed (i32.add (global.get $freed) (i32.const 1)))
        (memory.fill (local.get 0) (i32.const 0) (local.get 1)))
      (func (export "freed") (param i32 i32) (result i32 i32)
        (i32.store8 (i32.const 1024) (i32.add (i32.const 48) (global.get $freed)))
        (i32.const 1024) (i32.const 1)))`);
    expect(textOf(await deallocating.call("freed"))).toBe("0");
    expect(textOf(await deallocating.call("freed"))).toBe("2");
  });

  it("gives each call a fresh instance when the plugin asks for that", async () => {
    await using fresh = await openPlugin(PLUGIN, {
      spec: { instance: "call" },
      limits: { outputBytes: 100_000 },
    });
    expect(textOf(await fresh.call("count"))).toBe("1");
    expect(textOf(await fresh.call("count"))).toBe("1");
    expect(codeOf(await fresh.call("count_too_much"))).toBe("SANDBOX_OUTPUT_SIZE");
    expect(textOf(await fresh.call("count"))).toBe("1");
  });
});

describe("loading", () => {
  it("answers the engine's verdict from the runner", async () => {
    await using open = await openPlugin(PLUGIN);
    const reserved = await open.sandbox.reserve({ pluginId: "other" as never });
    if (!reserved.allowed) throw new Error(reserved.reason);
    await using runner = reserved.value;
    const verdict = await runner.validate(await assembleWat(PLUGIN));
    expect(verdict).toMatchObject({ allowed: true, value: { imports: [] } });
    expect(verdict.allowed && verdict.value.exports).toContainEqual({
      name: "memory",
      kind: "memory",
    });
    await expect(runner.validate(Uint8Array.of(0, 1, 2, 3))).resolves.toMatchObject({
      allowed: false,
      code: "SANDBOX_MODULE_INVALID",
    });
  });

  it.each([
    ["no module", Uint8Array.of(), "SANDBOX_MODULE_INVALID"],
    ["another file", new TextEncoder().encode("#!/bin/sh"), "SANDBOX_MODULE_INVALID"],
    [
      "a module cut short",
      Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 200),
      "SANDBOX_MODULE_INVALID",
    ],
    [
      "a module without memory",
      `(module (func (export "alloc") (param i32) (result i32) (i32.const 0)))`,
      "SANDBOX_ABI",
    ],
    ["a module without alloc", `(module (memory (export "memory") 1))`, "SANDBOX_ABI"],
    [
      "an import that nobody offers",
      `(module (import "env" "x" (func)) ${FLAT_BASE})`,
      "SANDBOX_ABI",
    ],
    [
      "a start function that traps",
      `(module ${FLAT_BASE} (func $s unreachable) (start $s))`,
      "SANDBOX_TRAP",
    ],
    [
      "more memory than allowed",
      `(module (memory (export "memory") 2000) (func (export "alloc") (param i32) (result i32) (i32.const 0)))`,
      "SANDBOX_MEMORY_LIMIT",
    ],
  ])("refuses %s with one coded error and leaves no process", async (_name, source, code) => {
    await using open = await openPlugin(flatPlugin());
    await expect(
      loadPlugin(open.sandbox, source, { limits: { memoryBytes: 16 * 2 ** 20 } }),
    ).rejects.toMatchObject({ code });
    await expect
      .poll(() => open.sandbox.status().runners.live - open.sandbox.status().runners.warm)
      .toBe(1);
    expect(textOf(await open.call("echo", "others go on"))).toBe("others go on");
  });

  it("links modules by name, the last one being the plugin", async () => {
    const library = await assembleWat(
      `(module (memory (export "memory") 1) (func (export "first") (result i32) (i32.const 64)))`,
    );
    const main = await assembleWat(`(module
      (import "library" "memory" (memory 1)) (export "memory" (memory 0))
      (import "library" "first" (func $first (result i32)))
      (func (export "alloc") (param i32) (result i32) (call $first))
      (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))`);
    await using open = await openPlugin(main, {
      spec: {
        modules: [
          { name: "library", bytes: library },
          { name: "main", bytes: main },
        ],
      },
    });
    expect(textOf(await open.call("echo", "linked"))).toBe("linked");
  });
});
