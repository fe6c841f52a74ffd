/** The host is killed while a plugin spins: no process may be left (threats: pdeathsig-thread). */
import { spawn } from "node:child_process";

import { expect, it } from "vitest";

import { unavailableLayer } from "../support/outer-layers.ts";
import { runs } from "../support/processes.ts";

const HOST = new URL("../support/spinning-host.mjs", import.meta.url).pathname;

it.for(["bubblewrap", "landlock", "none"] as const)(
  "leaves no process of a host that was killed, behind %s",
  async (layer, context) => {
    const reason = await unavailableLayer(layer);
    if (reason !== undefined) context.skip(reason);
    const host = spawn(process.execPath, [HOST, layer], { stdio: ["ignore", "pipe", "inherit"] });
    const pids = await new Promise<number[]>((resolve) => {
      host.stdout.once("data", (line: Buffer) => resolve(JSON.parse(String(line)) as number[]));
    });
    expect(pids.length).toBeGreaterThan(1);
    expect(pids.every(runs)).toBe(true);
    host.kill("SIGKILL");
    await new Promise((resolve) => host.once("exit", resolve));
    // They spin, so that they would be there for ever; how soon they are gone is measured by the bench.
    await expect.poll(() => pids.filter(runs), { timeout: 10_000 }).toEqual([]);
  },
);
