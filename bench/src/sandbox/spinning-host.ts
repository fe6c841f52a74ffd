/** @module A host with a spinning plugin and a warm runner: prints their pids and waits to be killed. */
import { readdirSync, readFileSync } from "node:fs";

import { createSandbox } from "@glovebox/sandbox";
import { assembleWat, callScope } from "@glovebox/testkit";

import { openPlugin } from "./open-plugin.ts";

const SPINNING = `(module (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 8))
  (func (export "spin") (param i32 i32) (result i32 i32) (loop $l (br $l)) (unreachable)))`;

const sandbox = await createSandbox({ poolSize: 1 });
const limits = { cpuMs: 60_000, wallMs: 60_000 };
const plugin = await openPlugin(sandbox, await assembleWat(SPINNING), { limits });
void plugin.call(callScope(), "spin", new Uint8Array(0));
// One that is still booting has not asked the kernel yet to die with its host.
do await new Promise((resolve) => setTimeout(resolve, 100));
while (sandbox.status().runners.warm === 0);
process.stdout.write(`${JSON.stringify(children())}\n`);

function children(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        return (
          pid > 0 &&
          readFileSync(`/proc/${pid}/status`, "utf8").includes(`\nPPid:\t${process.pid}\n`)
        );
      } catch {
        return false;
      }
    });
}
