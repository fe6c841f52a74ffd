/**
 * What takes Extism's SDK down through its allocator: a plugin of a few bytes that allocates for ever
 * kills the host, a handle is guessed and read, 16,383 calls without a reset are one too many, and a
 * page limit that nobody enforces. Here the kernel's memory is the plugin's own, and bounded.
 */
import { expect, it } from "vitest";

import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

const ENV = `
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load (param i64) (result i32)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (func (export "fine"))`;

it("the allocator bomb ends in its own process, and the host's memory stays", async () => {
  await using open = await openPlugin(
    `(module ${ENV} (func (export "bomb") (loop $l (drop (call $alloc (i64.const 1))) (br $l))))`,
    { abi: "extism", limits: { cpuMs: 1_000, memoryBytes: 8 * 2 ** 20 } },
  );
  const before = process.memoryUsage().rss;
  expect(codeOf(await open.call("bomb"))).toBe("SANDBOX_CPU_LIMIT");
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  expect((await open.call("fine")).ok).toBe(true);
});

it("blocks above the limit are not there: the handle is 0, and nothing can be written", async () => {
  await using open = await openPlugin(
    `(module ${ENV} (memory (export "memory") 1)
      (func (export "run") (result i32)
        (if (i64.ne (call $alloc (i64.const 0x40000000)) (i64.const 0)) (then (return (i32.const 1))))
        (call $store (i64.const 0x3fffffff) (i32.const 1))
        (if (call $load (i64.const 0x3fffffff)) (then (return (i32.const 2))))
        (if (i32.ne (memory.grow (i32.const 16384)) (i32.const -1)) (then (return (i32.const 3))))
        (i32.const 0)))`,
    { abi: "extism", limits: { memoryBytes: 640 * 1024 } },
  );
  expect(textOf(await open.call("run"))).toBe("");
});

it("handles of earlier calls, however guessed, hold nothing of those calls", async () => {
  await using open = await openPlugin(
    `(module ${ENV}
      (global $kept (mut i64) (i64.const 0))
      (func (export "keep")
        (global.set $kept (call $alloc (i64.const 32)))
        (call $store (global.get $kept) (i32.const 115)))
      (func (export "look") (result i32) (local $at i64)
        (if (i64.ne (call $length (global.get $kept)) (i64.const 0)) (then (return (i32.const 1))))
        ;; Every handle that there could be in the first pages.
        (loop $l
          (if (i64.ne (call $length (local.get $at)) (i64.const 0)) (then (return (i32.const 2))))
          (br_if $l (i64.lt_u (local.tee $at (i64.add (local.get $at) (i64.const 1))) (i64.const 200000))))
        (i32.const 0)))`,
    { abi: "extism" },
  );
  expect((await open.call("keep")).ok).toBe(true);
  expect(textOf(await open.call("look"))).toBe("");
});

it("40,000 calls need no reset, and take no more memory than one", async () => {
  await using open = await openPlugin(
    `(module ${ENV} (func (export "run") (local $block i64)
      (local.set $block (call $alloc (i64.const 8)))
      (call $output (local.get $block) (i64.const 8))))`,
    { abi: "extism" },
  );
  const first = await open.call("run");
  for (let at = 0; at < 40_000; at += 500) {
    const outcomes = await Promise.all(Array.from({ length: 500 }, () => open.call("run")));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
  }
  expect((await open.call("run")).usage.memoryPeakBytes).toBe(first.usage.memoryPeakBytes);
}, 60_000);
