/** Work that the engine would do on other threads is nobody's: the host counts the main thread (CWE-770). */
import { readdirSync, readFileSync } from "node:fs";

import { createSandbox } from "@glovebox/sandbox";
import { assembleWat, callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { loadPlugin } from "../support/open-plugin.ts";

/** Main thread, V8's timer, one worker of V8's that has nothing to do; on Node 22 one for a debugger's signal. */
const MOST_THREADS = 4;
const FUNCTIONS = 300;
const SIGUSR1_BIT = 1n << 9n;

/** Code that is worth compiling well, and objects that are worth collecting. */
function hotCode(): string {
  const line = "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 31)) (i32.const 7)))";
  const body = Array.from({ length: 60 }, () => line).join("");
  const names = Array.from({ length: FUNCTIONS }, (_, at) => `$f${at}`);
  return `(module (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) (i32.const 8))
    ${names.map((name) => `(func ${name} (param i32) (result i32) ${body} (local.get 0))`).join("\n")}
    (func (export "work") (param i32 i32) (result i32 i32) (local $left i32)
      (local.set $left (i32.const 2000))
      (loop $more
        ${names.map((name) => `(drop (call ${name} (local.get $left)))`).join("\n")}
        (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (i32.const 8) (i32.const 0)))`;
}

it("lets one thread do all of it", async (context) => {
  if (process.platform !== "linux") context.skip(`needs Linux, runs on ${process.platform}`);
  await using sandbox = await createSandbox({ poolSize: 0 });
  const plugin = await loadPlugin(sandbox, await assembleWat(hotCode()));
  const [pid = 0] = plugin.status().pids;
  expect(readdirSync(`/proc/${pid}/task`).length).toBeLessThanOrEqual(MOST_THREADS);
  const before = othersCpuMs(pid);
  const outcome = await plugin.call(callScope(), "work", new Uint8Array(0));
  expect(outcome.ok).toBe(true);
  expect(outcome.usage.cpuMs).toBeGreaterThan(20);
  expect(othersCpuMs(pid) - before).toBeLessThan(5);
});

it("starts no debugger when it is asked to by a signal", async (context) => {
  if (process.platform !== "linux") context.skip(`needs Linux, runs on ${process.platform}`);
  await using sandbox = await createSandbox({ poolSize: 0 });
  const [pid = 0] = (await loadPlugin(sandbox, await assembleWat(hotCode()))).status().pids;
  const caught = /^SigCgt:\s+(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  expect(BigInt(`0x${caught}`) & SIGUSR1_BIT).toBe(0n);
});

/** CPU time of all threads but the main one (/proc/PID/task/TID/schedstat, field 1, nanoseconds). */
function othersCpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .filter((thread) => Number(thread) !== pid)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1"))
    .reduce((sum, line) => sum + Number(line.split(" ")[0]) / 1e6, 0);
}
