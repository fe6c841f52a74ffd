/**
 * A WASI program writes output without end, sleeps without end, or asks for a gigabyte of random
 * bytes. Each ends at its limit with one code, and the host's memory does not follow.
 */
import { expect, it } from "vitest";

import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

const MODULE = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 700)
  (func (export "flood")
    (i32.store (i32.const 4) (i32.const 1))
    (loop $l (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $l)))
  (func (export "sleep")
    (i64.store (i32.const 24) (i64.const -1))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))
  (func (export "random") (result i32) (call $random (i32.const 0) (i32.const 44040192)))
  (func (export "vectors") (result i32)
    (call $fd_write (i32.const 1) (i32.const 65536) (i32.const 1024) (i32.const 8)))
  (func (export "too many vectors") (result i32)
    (call $fd_write (i32.const 1) (i32.const 65536) (i32.const 1025) (i32.const 8)))
  (func (export "fine")))`;
const EINVAL = 28;

it.each([
  ["flood", "SANDBOX_OUTPUT_SIZE"],
  ["sleep", "SANDBOX_WALL_LIMIT"],
  ["random", "SANDBOX_HOST_CALL_LIMIT"],
])("ends %s", async (name, code) => {
  await using open = await openPlugin(MODULE, {
    abi: "wasi",
    limits: { outputBytes: 100_000, wallMs: 1_500, hostCalls: 20 },
  });
  const before = process.memoryUsage().rss;
  expect(codeOf(await open.call(name))).toBe(code);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  expect(textOf(await open.call("fine"))).toBe("");
});

it("takes as many vectors at once as Linux does, and no more", async () => {
  await using open = await openPlugin(MODULE, { abi: "wasi" });
  expect(textOf(await open.call("vectors"))).toBe("");
  expect(await open.call("too many vectors")).toMatchObject({
    ok: false,
    error: { code: "SANDBOX_PLUGIN_ERROR", message: `too many vectors returned ${EINVAL}` },
  });
});
