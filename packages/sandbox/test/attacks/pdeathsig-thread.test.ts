/** The thread that booted runners ends while the process lives on: they must not outlive it. */
import { Worker } from "node:worker_threads";

import { createSandbox } from "@glovebox/sandbox";
import { callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { loadPlugin, textOf } from "../support/open-plugin.ts";
import { unavailableLayer } from "../support/outer-layers.ts";
import { runs } from "../support/processes.ts";

/** Over the built package, as a thread of an application: two warm runners, and what is between; their pids are told. */
const threadWith = (outerLayer: string): string => `
  const { parentPort } = require("node:worker_threads");
  const { readdirSync, readFileSync } = require("node:fs");
  import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)}).then(async ({ createSandbox }) => {
    const before = below(process.pid);
    await createSandbox({ poolSize: 2, outerLayer: "${outerLayer}" });
    parentPort.postMessage(below(process.pid).filter((pid) => !before.includes(pid)));
  });
  function below(parent) {
    const children = readdirSync("/proc").filter((pid) => {
      try { return readFileSync("/proc/" + pid + "/status", "utf8").includes("\\nPPid:\\t" + parent + "\\n"); }
      catch { return false; }
    }).map(Number);
    return children.flatMap((pid) => [pid, ...below(pid)]);
  }`;

it.for(["bubblewrap", "landlock", "none"] as const)(
  "ends the runners of a thread that has ended, and no others, behind %s",
  async (layer, context) => {
    const reason = await unavailableLayer(layer);
    if (reason !== undefined) context.skip(reason);
    await using sandbox = await createSandbox({ poolSize: 0 });
    const other = await loadPlugin(sandbox, flatPlugin());
    const thread = new Worker(threadWith(layer), { eval: true });
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
