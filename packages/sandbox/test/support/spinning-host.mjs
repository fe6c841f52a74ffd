/**
 * @module A host whose plugin spins: prints the pids of all processes below it, among them the
 * spinning and a warm runner, and waits to be killed. Its argument is the runners' outer layer. Plain JavaScript over the built packages, because it runs outside the test runner on
 * every supported Node.
 */
import { readdirSync, readFileSync } from "node:fs";

import { createSandbox } from "@glovebox/sandbox";
import { assembleWat, callScope, memoryHostServices } from "@glovebox/testkit";

const limits = { cpuMs: 60_000, wallMs: 60_000 };
const bytes = await assembleWat(`(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 8))
  (func (export "spin") (param i32 i32) (result i32 i32) (loop $l (br $l)) (unreachable)))`);
const sandbox = await createSandbox({ poolSize: 1, outerLayer: process.argv[2] });
const reserved = await sandbox.reserve({ pluginId: "spinning", limits });
const services = memoryHostServices();
const started = await reserved.value.start({
  abi: "flat",
  modules: [{ name: "main", bytes }],
  services,
});
void started.value.call(callScope(), "spin", new Uint8Array(0));
// A process that is still booting has not asked the kernel yet to die with its host.
do await new Promise((resolve) => setTimeout(resolve, 100));
while (sandbox.status().runners.warm === 0);
process.stdout.write(`${JSON.stringify(below(process.pid))}\n`);

function below(parent) {
  const children = readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        return (
          pid > 0 && readFileSync(`/proc/${pid}/status`, "utf8").includes(`\nPPid:\t${parent}\n`)
        );
      } catch {
        return false;
      }
    });
  return children.flatMap((pid) => [pid, ...below(pid)]);
}
