/**
 * @module CPU time of this thread, in milliseconds, from clock 3 of WASI (CLOCK_THREAD_CPUTIME_ID):
 * `process.threadCpuUsage()` moves in steps of 4 ms.
 */
import { WASI } from "node:wasi";

import { assembleWat } from "@glovebox/testkit";

const WAT = `(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $get (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "now") (result i64)
    (drop (call $get (i32.const 3) (i64.const 0) (i32.const 0)))
    (i64.load (i32.const 0))))`;

/** Answers a clock. */
export async function threadClock(): Promise<() => number> {
  const wasi = new WASI({ version: "preview1" });
  const module = new WebAssembly.Module(Uint8Array.from(await assembleWat(WAT)));
  const instance = new WebAssembly.Instance(module, {
    wasi_snapshot_preview1: wasi.wasiImport as WebAssembly.Imports[string],
  });
  wasi.initialize(instance);
  const now = instance.exports["now"] as () => bigint;
  return () => Number(now()) / 1e6;
}
