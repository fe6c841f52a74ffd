/**
 * @module Plugins that try to run without paying (threats: "Instrumentation and limits"): whatever
 * they do, the call ends when its instructions are used up, long before its CPU time is.
 */
import { assembleWat } from "@glovebox/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { flatPlugin, openRuntime, type TestRuntime } from "../open-runtime.ts";

/** Units that a call of each plugin here may use. */
const BUDGET = 2_000_000;
const capabilities = { resources: { max_instructions: BUDGET } };
const DONE = "(local.get $at) (i32.const 0)";

/** Functions that run until something ends them. */
const ENDLESS: Readonly<Record<string, readonly [body: string, extra?: string]>> = {
  loop: ["(loop $again (br $again)) unreachable"],
  "a loop that meets its bound never": [
    `(local $i i32) (loop $again
       (local.set $i (i32.add (local.get $i) (i32.const 2)))
       (br_if $again (i32.ne (local.get $i) (i32.const 1)))) ${DONE}`,
  ],
  "mutual recursion in a loop": [
    "(loop $again (drop (call $odd (i32.const 500))) (br $again)) unreachable",
    `(func $odd (param i32) (result i32)
       (if (result i32) (local.get 0) (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
     (func $even (param i32) (result i32)
       (if (result i32) (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))`,
  ],
  "indirect calls": [
    "(loop $again (call_indirect (type $none) (i32.const 0)) (br $again)) unreachable",
    `(type $none (func)) (table funcref (elem $nothing)) (func $nothing)`,
  ],
  "a call graph that doubles 40 times": [
    `(call $f40) ${DONE}`,
    Array.from({ length: 40 }, (_, at) => `(func $f${at + 1} (call $f${at}) (call $f${at}))`).join(
      "\n",
    ) + "(func $f0)",
  ],
  "30,000 locals set to zero at each call": [
    "(loop $again (call $wide) (br $again)) unreachable",
    `(func $wide (local ${"i64 ".repeat(30_000)}))`,
  ],
  "memory.fill of 4 GiB": [`(memory.fill (i32.const 0) (i32.const 0) (i32.const -1)) ${DONE}`],
  "memory.fill in a loop": [
    "(loop $again (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br $again)) unreachable",
  ],
  "memory.copy in a loop": [
    "(loop $again (memory.copy (i32.const 0) (i32.const 1) (i32.const 65535)) (br $again)) unreachable",
  ],
  "table.fill in a loop": [
    `(loop $again (table.fill 0 (i32.const 0) (ref.null func) (i32.const 90000)) (br $again)) unreachable`,
    "(table 90000 funcref)",
  ],
  "memory.grow that fails in a loop": [
    "(loop $again (drop (memory.grow (i32.const 100000))) (br $again)) unreachable",
  ],
};

/** One runtime for all: each test has a plugin of its own. */
let host: TestRuntime;
beforeAll(async () => {
  host = await openRuntime();
});
afterAll(() => host[Symbol.asyncDispose]());

describe("a call ends when its instructions are used up", () => {
  test.each(Object.entries(ENDLESS))("%s", async (name, [body, extra = ""]) => {
    const id = name.replaceAll(/[^a-z0-9]+/g, "-");
    await host.load({ id, wasm: flatPlugin({ run: body, fine: DONE }, extra), capabilities });
    const outcome = await host.runtime.executePluginFunction(id, "run", {}, Buffer.from("x"));
    expect(outcome).toMatchObject({
      ok: false,
      error: {
        code: "SANDBOX_INSTRUCTION_LIMIT",
        details: { instructions: BUDGET, maxInstructions: BUDGET },
      },
      usage: { instructions: BUDGET, instructionsExact: true },
    });
    // The next call has a budget of its own, in the same process.
    expect(await host.call(id, "fine", "x")).toBe("");
  });

  test("tail calls of every form", async () => {
    const wasm = await assembleWat(
      flatPlugin(
        {
          self: "(return_call $self) ",
          mutual: "(return_call $ping)",
          indirect: "(return_call $table)",
        },
        `(type $pair (func (result i32 i32)))
         (table funcref (elem $table))
         (func $self (result i32 i32) (return_call $self))
         (func $ping (result i32 i32) (return_call $pong))
         (func $pong (result i32 i32) (return_call $ping))
         (func $table (result i32 i32) (return_call_indirect (type $pair) (i32.const 0)))`,
      ),
      { tail_call: true },
    );
    await host.load({ id: "tails", wasm, capabilities });
    for (const name of ["self", "mutual", "indirect"]) {
      expect(await host.call("tails", name)).toBe("SANDBOX_INSTRUCTION_LIMIT");
    }
  });

  test("exceptions that are thrown and caught, and a handler that goes on", async () => {
    const wasm = await assembleWat(
      flatPlugin(
        {
          rounds: `(loop $again
            (try (do (throw $tag)) (catch_all)) (br $again)) unreachable`,
          inHandler: `(try (do (throw $tag)) (catch_all (loop $again (br $again)))) unreachable`,
        },
        "(tag $tag)",
      ),
      { exceptions: true },
    );
    await host.load({ id: "throws", wasm, capabilities });
    expect(await host.call("throws", "rounds")).toBe("SANDBOX_INSTRUCTION_LIMIT");
    expect(await host.call("throws", "inHandler")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });

  test("recursion without an end is a trap or the limit, whichever comes first", async () => {
    const wasm = flatPlugin({ run: `(call $deep) ${DONE}` }, "(func $deep (call $deep))");
    const many = { resources: { max_instructions: 1_000_000_000 } };
    await host.load({ id: "deep", wasm, capabilities: many });
    const few = { resources: { max_instructions: 1_000 } };
    await host.load({ id: "shallow", wasm, capabilities: few });
    expect(await host.call("deep", "run")).toBe("SANDBOX_TRAP");
    expect(await host.call("shallow", "run")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });
});

describe("work outside of the module is paid for", () => {
  const imports = `(import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "load_u8" (func $load (param i64) (result i32)))
    (import "extism:host/env" "http_status_code" (func $status (result i32)))
    (import "extism:host/env" "config_get" (func $config (param i64) (result i64)))
    (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))`;
  const rounds = (name: string, body: string): string =>
    `(func (export "${name}") (result i32) (loop $again ${body} (br $again)) unreachable)`;
  const wat = `(module ${imports}
    ${rounds("kernel", "(drop (call $load (i64.const 99999)))")}
    ${rounds("memory", "(drop (call $alloc (i64.const 64)))")}
    ${rounds("runner", "(drop (call $status))")}
    ${rounds("config", "(drop (call $config (i64.const 0)))")}
    ${rounds("host", "(drop (call $var_get (i64.const 0)))")}
    (func (export "fine") (result i32) (i32.const 0))
    (func (export "big") (result i32) (drop (call $alloc (i64.const 33554432))) (i32.const 0)))`;

  test("host-call ping-pong, functions of the runner, and the kernel's", async () => {
    await host.load({ id: "pays", abi: "extism", wasm: wat, capabilities });
    for (const name of ["kernel", "memory", "runner", "config", "host", "big"]) {
      expect(await host.call("pays", name)).toBe("SANDBOX_INSTRUCTION_LIMIT");
      // Failures in a row would be answered with quarantine.
      expect(await host.call("pays", "fine")).toBe("");
    }
  });

  test("WASI, by call and by byte", async () => {
    const wasm = `(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (memory (export "memory") 200)
      (func (export "_initialize"))
      (func (export "calls") (loop $again (drop (call $yield)) (br $again)))
      (func (export "bytes")
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 13000000))
        (loop $again (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (br $again))))`;
    await host.load({ id: "reactor", abi: "wasi", wasm, capabilities });
    expect(await host.call("reactor", "calls")).toBe("SANDBOX_INSTRUCTION_LIMIT");
    expect(await host.call("reactor", "bytes")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });

  test("a plugin that catches what the lack of fuel throws gains nothing", async () => {
    const wasm = await assembleWat(
      `(module ${imports}
        (global $rounds (mut i64) (i64.const 0))
        (func (export "run") (result i32)
          (loop $again
            (try (do (loop $pay (drop (call $status)) (br $pay))) (catch_all))
            (global.set $rounds (i64.add (global.get $rounds) (i64.const 1)))
            (br $again))
          unreachable)
        (func (export "return") (result i32)
          (try (do (loop $pay (drop (call $status)) (br $pay))) (catch_all)) (i32.const 0)))`,
      { exceptions: true },
    );
    await host.load({ id: "catches", abi: "extism", wasm, capabilities });
    expect(await host.call("catches", "run")).toBe("SANDBOX_INSTRUCTION_LIMIT");
    expect(await host.call("catches", "return")).toBe("SANDBOX_INSTRUCTION_LIMIT");
  });
});

describe("start functions and initialisers", () => {
  const SPIN = "(loop $again (br $again))";

  test("one that burns fuel ends the load", async () => {
    const wasm = flatPlugin({ run: DONE }, `(func $start ${SPIN}) (start $start)`);
    await expect(host.load({ id: "burns", wasm, capabilities })).rejects.toThrow(
      "SANDBOX_INSTRUCTION_LIMIT",
    );
    const reactor = `(module (func (export "_initialize") ${SPIN}) (func (export "run")))`;
    await expect(
      host.load({ id: "burns", abi: "wasi", wasm: reactor, capabilities }),
    ).rejects.toThrow("SANDBOX_INSTRUCTION_LIMIT");
  });

  test("with a fresh instance, start and call share one budget", async () => {
    const half = `(local $i i32) (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100000))))`;
    const extra = `(func $start ${half}) (start $start) (func $work ${half})`;
    const wasm = flatPlugin({ run: `(call $work) ${DONE}`, rest: DONE }, extra);
    await host.load({ id: "fresh", instance: "call", wasm, capabilities });
    const used = async (name: string): Promise<number | null> =>
      (await host.runtime.executePluginFunction("fresh", name, {}, "x")).usage.instructions;
    await used("rest"); // in the instance of the load, whose start function the load has paid for
    const start = Number(await used("rest"));
    expect(start).toBeGreaterThan(BUDGET / 8);
    expect(Number(await used("run"))).toBeGreaterThan(2 * start - 1_000);
  });

  test("nobody can call the start function again", async () => {
    const wasm = flatPlugin({ run: DONE }, "(func $start) (start $start)");
    await host.load({ id: "starts", wasm });
    const outcome = await host.runtime.executePluginFunction("starts", "none", {}, "x");
    expect(outcome).toMatchObject({ error: { details: { exported: ['"run"'] } } });
  });
});

test("a runtime meters also where modules are left to the engine alone", async () => {
  await using trusting = await openRuntime({ security: { enableWasmValidation: false } });
  await trusting.load({
    id: "endless",
    wasm: flatPlugin({ run: "(loop $again (br $again)) unreachable" }),
    capabilities,
  });
  expect(await trusting.call("endless", "run")).toBe("SANDBOX_INSTRUCTION_LIMIT");
});
