/**
 * @module Linked modules that try to have a budget each, or to give one another a new one (threats:
 * linked-budgets, forged-fuel-global).
 */
import { createHash } from "node:crypto";

import { assembleWat } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { flatPlugin, openRuntime } from "../open-runtime.ts";

const BUDGET = 1_000_000;
const capabilities = { resources: { max_instructions: BUDGET } };
const DONE = "(local.get $at) (i32.const 0)";
/** About 600,000 units. */
const WORK = `(local $i i32) (loop $again
  (local.set $i (i32.add (local.get $i) (i32.const 1)))
  (br_if $again (i32.lt_u (local.get $i) (i32.const 100000))))`;

/** A plugin of two modules: `library`, and `main`, which imports `work` and `other` of it. */
const linked = (library: string, main: string) =>
  [
    { name: "library", wasm: library },
    {
      name: "main",
      wasm: main.replace(
        "(module",
        `(module (import "library" "work" (func $work)) (import "library" "other" (func $other))`,
      ),
    },
  ] as const;

describe("one budget for all modules of a call", () => {
  test("work in a linked module counts, and what it leaves comes back", async () => {
    await using host = await openRuntime();
    const library = `(module (func (export "work") ${WORK}) (func (export "other")))`;
    const main = flatPlugin({
      once: `(call $work) ${DONE}`,
      twice: `(call $work) (call $work) ${DONE}`,
      nothing: DONE,
    });
    await host.load({ id: "linked", wasm: linked(library, main), capabilities });
    const used = async (name: string) =>
      (await host.runtime.executePluginFunction("linked", name, {}, "x")).usage;
    const { instructions: nothing } = await used("nothing");
    const { instructions: once } = await used("once");
    expect(Number(nothing)).toBeLessThan(1_000);
    expect(Number(once)).toBeGreaterThan(BUDGET / 2);
    expect(await host.call("linked", "twice", "x")).toBe("SANDBOX_INSTRUCTION_LIMIT");
    expect(await used("once")).toMatchObject({ instructions: once, instructionsExact: true });
  });

  test("two modules that call each other for ever", async () => {
    await using host = await openRuntime();
    const library = `(module (import "main" "back" (func $back (param i32 i32) (result i32 i32)))
      (func (export "work")) (func (export "other")
        (drop (drop (call $back (i32.const 1) (i32.const 0))))))`;
    const back = `(if (local.get $at) (then (call $work))) ${DONE}`;
    const main = flatPlugin({ back, run: `(loop $again (call $other) (br $again)) unreachable` });
    await host.load({ id: "pingpong", wasm: linked(library, main), capabilities });
    expect(await host.call("pingpong", "run", "x")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });

  test("a linked module's trap ends the call, and the next has its whole budget", async () => {
    await using host = await openRuntime();
    const library = `(module (func (export "work") ${WORK} unreachable) (func (export "other")))`;
    const main = flatPlugin({ run: `(call $work) ${DONE}`, fine: `(call $other) ${DONE}` });
    await host.load({ id: "traps", wasm: linked(library, main), capabilities });
    const outcome = await host.runtime.executePluginFunction("traps", "run", {}, "x");
    expect(outcome).toMatchObject({ ok: false, error: { code: "SANDBOX_TRAP" } });
    expect(await host.call("traps", "fine", "x")).toBe("");
  });

  test("an exception that passes from one module to another takes no fuel along", async () => {
    await using host = await openRuntime();
    const library = await assembleWat(
      `(module (tag $tag) (func (export "work") ${WORK} (throw $tag)) (func (export "other")))`,
      { exceptions: true },
    );
    const [, { wasm: text }] = linked(
      "",
      flatPlugin({
        run: `(loop $again (try (do (call $work)) (catch_all)) (br $again)) unreachable`,
      }),
    );
    const main = await assembleWat(text, { exceptions: true });
    const wasm = [
      { name: "library", wasm: library },
      { name: "main", wasm: main },
    ];
    await host.load({ id: "throws", wasm, capabilities });
    expect(await host.call("throws", "run", "x")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });

  describe("a function of another module in a shared table", () => {
    const library = `(module (table (export "table") 1 funcref) (elem (i32.const 0) $loop)
      (func (export "work")) (func (export "other"))
      (func $loop (loop $again (br $again))))`;
    const main = flatPlugin(
      { run: `(call_indirect (type $none) (i32.const 0)) ${DONE}` },
      "(type $none (func))",
    ).replace("(module", `(module (import "library" "table" (table 1 funcref))`);

    test("is refused when the plugin is loaded", async () => {
      await using host = await openRuntime();
      const loading = host.load({ id: "shares", wasm: linked(library, main), capabilities });
      await expect(loading).rejects.toThrow("WASM_LINK_TYPE");
    });

    test("has no fuel of its own where the engine alone judges modules", async () => {
      await using host = await openRuntime({ security: { enableWasmValidation: false } });
      await host.load({ id: "shares", wasm: linked(library, main), capabilities });
      expect(await host.call("shares", "run", "x")).toBe("SANDBOX_TRAP");
    });
  });
});

describe("nobody reaches the fuel", () => {
  test("a module that imports another's fuel global is not linked", async () => {
    await using host = await openRuntime();
    const libraryText = `(module (func (export "work")) (func (export "other")))`;
    const digest = createHash("sha256")
      .update(await assembleWat(libraryText))
      .digest("hex");
    const names = [`glovebox:fuel:${digest.slice(0, 16)}`, `glovebox:start:${digest.slice(0, 16)}`];
    for (const name of names) {
      const main = flatPlugin({ run: DONE }).replace(
        "(module",
        `(module (import "library" "${name}" (global $fuel (mut i64)))`,
      );
      const loading = host.load({ id: "thief", wasm: linked(libraryText, main), capabilities });
      await expect(loading).rejects.toThrow("SANDBOX_ABI");
    }
  });

  test("a module that exports a global of such a name has its own, which is not the fuel", async () => {
    await using host = await openRuntime();
    const wasm = flatPlugin(
      {
        run: `(loop $again (global.set $mine (i64.const 0x7fffffffffffffff)) (br $again)) unreachable`,
      },
      `(global $mine (mut i64) (i64.const 0)) (export "glovebox:fuel" (global $mine))`,
    );
    await host.load({ id: "namesake", wasm, capabilities });
    expect(await host.call("namesake", "run", "x")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });

  test("a module that names a global it does not have is refused", async () => {
    await using host = await openRuntime();
    const forged = flatPlugin({ run: `(global.set 1 (i64.const 0x7fffffffffffff)) ${DONE}` });
    const wasm = await assembleWat(forged, { validate: false });
    await expect(host.load({ id: "forger", wasm, capabilities })).rejects.toThrow(
      "SANDBOX_MODULE_INVALID",
    );
  });
});
