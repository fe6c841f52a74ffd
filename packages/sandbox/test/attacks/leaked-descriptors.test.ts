/**
 * A plugin leaves files open, to reach them in a later call (of another tenant, or after a grant has
 * ended), and to use up the host's descriptors. What a call opened is closed with it, however it ends.
 */
import type { HostServices } from "@glovebox/core/ports";
import { memoryHostServices } from "@glovebox/testkit";
import { memoryFiles } from "@glovebox/testkit/files";
import { expect, it } from "vitest";

import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

const REACTOR = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "a.txt")
  (func $open (export "open") (result i32)
    (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
  (func (export "open_and_trap") (drop (call $open)) unreachable)
  (func (export "open_and_spin") (drop (call $open)) (loop $l (br $l)))
  (func (export "open_many") (local $opened i32)
    (loop $again
      (if (i32.eqz (call $open)) (then
        (local.set $opened (i32.add (local.get $opened) (i32.const 1)))
        (br $again))))
    (i32.store (i32.const 128) (local.get $opened))
    (call $say (i32.const 128) (i32.const 4)))
  ;; The error of reading what open() got in an earlier call.
  (func (export "read") (result i32)
    (i32.store (i32.const 0) (i32.const 128))
    (i32.store (i32.const 4) (i32.const 100))
    (call $fd_read (i32.load (i32.const 32)) (i32.const 0) (i32.const 1) (i32.const 8)))
  (func $say (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

function granted() {
  const files = memoryFiles({ files: { "/a.txt": "content" } });
  const services: HostServices = { ...memoryHostServices(), files };
  return { files, services };
}

it("cannot be read in the next call", async () => {
  const { files, services } = granted();
  await using open = await openPlugin(REACTOR, { abi: "wasi", services });
  expect(textOf(await open.call("open"))).toBe("");
  expect(files.openFiles).toBe(0);
  expect(await open.call("read")).toMatchObject({ error: { message: "read returned 8" } }); // BADF
});

it.each([
  ["open_and_trap", "SANDBOX_TRAP"],
  ["open_and_spin", "SANDBOX_CPU_LIMIT"],
])("are closed after %s", async (name, code) => {
  const { files, services } = granted();
  await using open = await openPlugin(REACTOR, { abi: "wasi", services, limits: { cpuMs: 200 } });
  expect(codeOf(await open.call(name))).toBe(code);
  await expect.poll(() => files.openFiles, { timeout: 10_000 }).toBe(0);
});

it("stop at 256 in one call", async () => {
  const { files, services } = granted();
  await using open = await openPlugin(REACTOR, { abi: "wasi", services });
  const outcome = await open.call("open_many");
  if (!outcome.ok) throw new Error(outcome.error.message);
  expect(new Uint32Array(outcome.output.slice().buffer)[0]).toBe(256);
  expect(files.openFiles).toBe(0);
});
