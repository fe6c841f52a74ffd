/**
 * A plugin whose initialiser traps, loops or exits: in Extism's SDK the host process dies of a leaked
 * handle at the next collection (Node 26). Here the load is refused with a code, and others go on.
 */
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { loadPlugin, openPlugin, textOf } from "../support/open-plugin.ts";

const WASI_EXIT = `(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))`;

it.each([
  ["extism", "_initialize", "unreachable", "SANDBOX_TRAP"],
  ["extism", "__wasm_call_ctors", "unreachable", "SANDBOX_TRAP"],
  ["extism", "_initialize", "(loop $l (br $l))", "SANDBOX_CPU_LIMIT"],
  ["wasi", "_initialize", "unreachable", "SANDBOX_TRAP"],
  ["wasi", "_initialize", "(loop $l (br $l))", "SANDBOX_CPU_LIMIT"],
  ["wasi", "_initialize", "(call $exit (i32.const 0))", "SANDBOX_PLUGIN_ERROR"],
] as const)("%s: %s of %s refuses the load with %s", async (abi, name, body, code) => {
  await using open = await openPlugin(flatPlugin());
  const source = `(module ${WASI_EXIT} (memory (export "memory") 1)
    (func (export "${name}") ${body}) (func (export "run")))`;
  await expect(
    loadPlugin(open.sandbox, source, { abi, limits: { cpuMs: 200 } }),
  ).rejects.toMatchObject({ code });
  expect(textOf(await open.call("echo", "goes on"))).toBe("goes on");
});

it("runs the initialisers once and in the order of the languages that have them", async () => {
  const source = `(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (memory 1)
    (global $at (mut i32) (i32.const 0))
    (func $note (param $letter i32)
      (i32.store8 (global.get $at) (local.get $letter))
      (global.set $at (i32.add (global.get $at) (i32.const 1))))
    (func (export "hs_init") (param i32 i32) (call $note (i32.const 104)))
    (func (export "_initialize") (call $note (i32.const 105)))
    (func (export "__wasm_call_ctors") (call $note (i32.const 99)))
    (func (export "noted") (local $block i64) (local $index i32)
      (local.set $block (call $alloc (i64.const 8)))
      (loop $copy
        (call $store (i64.add (local.get $block) (i64.extend_i32_u (local.get $index)))
          (i32.load8_u (local.get $index)))
        (br_if $copy (i32.lt_u
          (local.tee $index (i32.add (local.get $index) (i32.const 1))) (global.get $at))))
      (call $output (local.get $block) (i64.extend_i32_u (global.get $at)))))`;
  await using open = await openPlugin(source, { abi: "extism" });
  // _initialize calls the constructors itself, so that they are not called again.
  expect(textOf(await open.call("noted"))).toBe("hi");
  expect(textOf(await open.call("noted"))).toBe("hi");
});
