/** @module A host whose plugin spins: prints the pids of the spinning and of a warm runner, and waits to be killed. */
import { readdirSync, readFileSync } from "node:fs";

import { flatPlugin } from "./fixtures.ts";
import { openPlugin } from "./open-plugin.ts";

const open = await openPlugin(flatPlugin(), {
  poolSize: 1,
  limits: { cpuMs: 60_000, wallMs: 60_000 },
});
void open.call("spin");
// A process that is still booting has not asked the kernel yet to die with its host.
do await new Promise((resolve) => setTimeout(resolve, 100));
while (open.sandbox.status().runners.warm === 0);
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
