/** The thread that booted runners ends while the process lives on: they must not outlive it. */
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

import { createSandbox } from "@glovebox/sandbox";
import { callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { loadPlugin, textOf } from "../support/open-plugin.ts";

/** Over the built package, as a thread of an application: two warm runners, whose pids are told. */
const THREAD = `
  const { parentPort } = require("node:worker_threads");
  const { readdirSync, readFileSync } = require("node:fs");
  import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)}).then(async ({ createSandbox }) => {
    const before = children();
    await createSandbox({ poolSize: 2 });
    parentPort.postMessage(children().filter((pid) => !before.includes(pid)));
  });
  function children() {
    return readdirSync("/proc").filter((pid) => {
      try { return readFileSync("/proc/" + pid + "/status", "utf8").includes("\\nPPid:\\t" + process.pid + "\\n"); }
      catch { return false; }
    }).map(Number);
  }`;

it.skipIf(process.platform !== "linux")(
  "ends the runners of a thread that has ended, and no others",
  async () => {
    await using sandbox = await createSandbox({ poolSize: 0 });
    const other = await loadPlugin(sandbox, flatPlugin());
    const thread = new Worker(THREAD, { eval: true });
    const pids = await new Promise<number[]>((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", reject);
    });
    expect(pids.filter(runs).length).toBeGreaterThanOrEqual(2);
    await thread.terminate();
    await expect.poll(() => pids.filter(runs)).toEqual([]);
    const echo = await other.call(callScope(), "echo", new TextEncoder().encode("still here"));
    expect(textOf(echo)).toBe("still here");
  },
);

function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
