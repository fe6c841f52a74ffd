/** What stands around a runner, as the kernel tells its host: each argument of bubblewrap does something. */
import { readFileSync, readlinkSync } from "node:fs";

import "@glovebox/testkit/matchers";
import { createSandbox } from "@glovebox/sandbox";
import { beforeAll, describe, expect, it } from "vitest";

import { SandboxError } from "../../src/errors.ts";
import { runCanary } from "../../src/host/canary.ts";
import { openLauncher } from "../../src/host/launcher.ts";
import { bootProven } from "../../src/host/proven-runner.ts";
import { flatPlugin } from "../support/fixtures.ts";
import { loadPlugin } from "../support/open-plugin.ts";
import { unavailableLayer } from "../support/outer-layers.ts";
import { fieldOfStat } from "../support/processes.ts";

/** Field of /proc/PID/stat (proc(5)). */
const SESSION = 6;
const SETGID = 1n << 6n;
const SETUID = 1n << 7n;

let notHere: string | undefined;
beforeAll(async () => {
  notHere = await unavailableLayer("bubblewrap");
});

describe("a runner behind bubblewrap", () => {
  it("has namespaces of its own, and a session", async (context) => {
    if (notHere !== undefined) context.skip(notHere);
    await using sandbox = await createSandbox({ poolSize: 0, outerLayer: "bubblewrap" });
    const [pid = 0] = (await loadPlugin(sandbox, flatPlugin())).status().pids;
    const shared = ["net", "pid", "mnt", "ipc", "uts", "cgroup"].filter(
      (name) => readlinkSync(`/proc/${pid}/ns/${name}`) === readlinkSync(`/proc/self/ns/${name}`),
    );
    expect(shared).toEqual([]);
    // Nor bubblewrap's own, which the host starts in a session as well.
    const init = Number(valueOf(pid, "PPid"));
    const sessions = [pid, Number(valueOf(init, "PPid")), process.pid].map((process) =>
      fieldOfStat(process, SESSION),
    );
    expect(new Set(sessions).size).toBe(3);
  });

  it("has nothing that could be written but /dev/null", async (context) => {
    if (notHere !== undefined) context.skip(notHere);
    await using sandbox = await createSandbox({ poolSize: 0, outerLayer: "bubblewrap" });
    const [pid = 0] = (await loadPlugin(sandbox, flatPlugin())).status().pids;
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trim().split("\n");
    const places = mounts.map((line) => line.split(" ")).map(([, , , , at, how]) => ({ at, how }));
    expect(places.length).toBeGreaterThan(3);
    const writable = places.filter(({ how }) => how?.split(",").includes("rw"));
    expect(writable.map(({ at }) => at)).toEqual(["/dev/null"]);
  });

  it("cannot be given a capability, nor can the init of its namespace, but to change the user", async (context) => {
    if (notHere !== undefined) context.skip(notHere);
    await using sandbox = await createSandbox({ poolSize: 0, outerLayer: "bubblewrap" });
    const [pid = 0] = (await loadPlugin(sandbox, flatPlugin())).status().pids;
    const needed = process.getuid?.() === 0 ? SETUID | SETGID : 0n;
    const init = Number(valueOf(pid, "PPid"));
    for (const name of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
      const has = (process: number): bigint => BigInt(`0x${valueOf(process, name)}`);
      expect([name, has(pid) & ~needed, has(init) & ~needed]).toEqual([name, 0n, 0n]);
    }
    expect(valueOf(pid, "CapPrm")).toMatch(/^0+$/);
  });
});

it.for(["bubblewrap", "landlock"] as const)(
  "gives no plugin a runner that is not behind %s, which the options name, though a canary was",
  async (wanted, context) => {
    const reason = await unavailableLayer(wanted);
    if (reason !== undefined) context.skip(reason);
    const launcher = await openLauncher({}, wanted);
    const canary = runCanary(launcher);
    try {
      const other = { ...launcher, isConfined: () => false };
      const booting = bootProven(other, canary, wanted);
      await expect(booting).rejects.toThrowCode("SANDBOX_ISOLATION");
      const { runner } = await bootProven(launcher, canary, wanted);
      runner.kill(new SandboxError("SANDBOX_CLOSED"));
      await runner.ended;
    } finally {
      await launcher.close();
    }
  },
);

function valueOf(pid: number, name: string): string {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "none";
}
