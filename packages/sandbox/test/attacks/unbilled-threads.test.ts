/** Work that the engine would do on other threads is nobody's: the host counts the main thread (CWE-770). */
import { readdirSync, readFileSync } from "node:fs";

import { createSandbox } from "@glovebox/sandbox";
import { assembleWat, callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { loadPlugin, openPlugin } from "../support/open-plugin.ts";

/** Main thread, V8's timer, one worker of V8's that has nothing to do; on Node 22 one for a debugger's signal. */
const MOST_THREADS = 4;
const SIGUSR1_BIT = 1n << 9n;
const CALLS = 150;
const EXPORTS = 400;

it("has no more threads than Node cannot do without, and no debugger that a signal starts", async (context) => {
  if (process.platform !== "linux") context.skip(`needs Linux, runs on ${process.platform}`);
  await using sandbox = await createSandbox({ poolSize: 0 });
  const [pid = 0] = (await loadPlugin(sandbox, flatPlugin())).status().pids;
  expect(readdirSync(`/proc/${pid}/task`).length).toBeLessThanOrEqual(MOST_THREADS);
  const caught = /^SigCgt:\s+(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  expect(BigInt(`0x${caught}`) & SIGUSR1_BIT).toBe(0n);
});

it("compiles and collects on the thread that is counted", async (context) => {
  if (process.platform !== "linux") context.skip(`needs Linux, runs on ${process.platform}`);
  // Each call leaves an instance with many exports to be collected.
  const functions = Array.from(
    { length: EXPORTS },
    (_, at) => `(func (export "f${at}") (result i32) (i32.const ${at}))`,
  );
  const module = await assembleWat(`(module (memory (export "memory") 2)
    (func (export "alloc") (param i32) (result i32) (i32.const 8))
    (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1))
    ${functions.join("\n")})`);
  await using open = await openPlugin(module, { spec: { instance: "call" } });
  const [pid = 0] = open.plugin.status().pids;
  const before = othersCpuMs(pid);
  let counted = 0;
  for (let call = 0; call < CALLS; call++) {
    const { usage } = await open.plugin.call(callScope(), "echo", new Uint8Array(8));
    counted += usage.cpuMs ?? 0;
  }
  expect(open.plugin.status().pids).toEqual([pid]);
  expect((othersCpuMs(pid) - before) / counted).toBeLessThan(0.2);
});

/** CPU time of all threads but the main one (/proc/PID/task/TID/schedstat, field 1, nanoseconds). */
function othersCpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .filter((thread) => Number(thread) !== pid)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1"))
    .reduce((sum, line) => sum + Number(line.split(" ")[0]) / 1e6, 0);
}
