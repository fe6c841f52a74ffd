/** What starts runners hangs, dies or is closed meanwhile: it costs what was being started, and nothing stays. */
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";

import { createSandbox } from "@glovebox/sandbox";
import "@glovebox/testkit/matchers";
import { callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { SandboxError } from "../../src/errors.ts";
import { findBubblewrap } from "../../src/host/bubblewrap.ts";
import { openLandlockSpawner } from "../../src/host/landlock-spawner.ts";
import { openLauncher } from "../../src/host/launcher.ts";
import { neededKoffi, readableFiles } from "../../src/host/runner-process.ts";
import { Runner } from "../../src/host/runner.ts";
import { NO_CONFIGURATION, SpawnPoint } from "../../src/spawner/spawn-point.ts";
import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
import { loadPlugin } from "../support/open-plugin.ts";
import { unavailableLayer } from "../support/outer-layers.ts";
import { processesWith, runs } from "../support/processes.ts";

const SOON = { timeout: 10_000 };
const SLOW_BOOT = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);";

it("gives up a bubblewrap that hangs, and boots others meanwhile", async (context) => {
  const reason = await unavailableLayer("bubblewrap");
  if (reason !== undefined) context.skip(reason);
  const found = findBubblewrap();
  if (!("path" in found)) throw new Error(found.absent);
  const folder = await mkdtemp(join(tmpdir(), "bwrap-"));
  const path = join(folder, "bwrap");
  const sleep = join(folder, "sleep");
  await symlink("/bin/sleep", sleep);
  // The first runner's hangs, and so does a child that holds all its descriptors.
  await writeFile(
    path,
    `#!/bin/sh
case "$*" in *--info-fd*) mkdir ${folder}/first 2>/dev/null && { ${sleep} 300 & exec ${sleep} 300; } ;; esac
exec ${found.path} "$@"`,
  );
  await chmod(path, 0o755);
  const bubblewrapStartMs = 3_000;
  const launcher = await openLauncher({}, "bubblewrap", {
    findBubblewrap: () => ({ path }),
    bubblewrapStartMs,
  });
  try {
    let isHanging = true;
    const hanging = Runner.boot(launcher, "plugin").finally(() => (isHanging = false));
    hanging.catch(() => undefined);
    await expect.poll(() => existsSync(join(folder, "first")), SOON).toBe(true);
    const { runner } = await Runner.boot(launcher, "plugin");
    expect(isHanging).toBe(true);
    runner.kill(new SandboxError("SANDBOX_CLOSED"));
    await runner.ended;
    await expect(hanging).rejects.toThrowCode("SANDBOX_BOOT_FAILED");
    await expect(hanging).rejects.toThrow(`started nothing in ${bubblewrapStartMs}`);
  } finally {
    for (const pid of processesWith(sleep)) process.kill(pid, "SIGKILL");
    await launcher.close();
    await rm(folder, { recursive: true });
  }
});

it("is not ready, and says so in a code, once the thread that starts runners has died", async (context) => {
  const reason = await unavailableLayer("landlock");
  if (reason !== undefined) context.skip(reason);
  const threads = newThreads();
  await using sandbox = await createSandbox({ poolSize: 1, outerLayer: "landlock" });
  const plugin = await loadPlugin(sandbox, flatPlugin());
  const { pids } = plugin.status();
  expect(sandbox.status().ready).toBe(true);
  await Promise.all(threads.end().map((thread) => thread.terminate()));
  expect(sandbox.status().ready).toBe(false);
  await expect.poll(() => pids.filter(runs), SOON).toEqual([]);
  await expect
    .poll(() => plugin.call(callScope(), "echo", new Uint8Array(0)), SOON)
    .toMatchObject({ ok: false, error: { code: "SANDBOX_BOOT_FAILED" } });
  await expect
    .poll(() => sandbox.reserve({ pluginId: "next" as never }), SOON)
    .toMatchObject({ allowed: false, code: "SANDBOX_BOOT_FAILED" });
});

it("ends what that thread has started before it could ask to die with it", async (context) => {
  const reason = await unavailableLayer("landlock");
  if (reason !== undefined) context.skip(reason);
  const folder = await mkdtemp(join(tmpdir(), "spawner-"));
  const threads = newThreads();
  const koffi = neededKoffi();
  const opened = await openLandlockSpawner({
    socketPath: join(folder, "s"),
    readable: [...readableFiles({}), NO_CONFIGURATION],
    ...(koffi === undefined ? {} : { koffiEntry: koffi.entry }),
  });
  if (typeof opened === "string") throw new Error(opened);
  const socket = createConnection(join(folder, "s"));
  const args = ["-e", "setInterval(() => undefined, 1_000)"];
  const command = { file: process.execPath, args, throughBubblewrap: false, ownSession: true };
  const { pid, ended } = await (
    await opened.spawner.spawn(command, new AbortController().signal)
  ).process;
  expect(runs(pid)).toBe(true);
  await Promise.all(threads.end().map((thread) => thread.terminate()));
  await ended;
  await expect.poll(() => runs(pid), SOON).toBe(false);
  socket.destroy();
  await rm(folder, { recursive: true });
});

it.for(["bubblewrap", "landlock", "none"] as const)(
  "leaves nothing that still boots when it is closed, behind %s",
  async (outerLayer, context) => {
    const reason = await unavailableLayer(outerLayer);
    if (reason !== undefined) context.skip(reason);
    await using program = await hostileRunner("", 1, SLOW_BOOT);
    const sandbox = await createSandbox(
      { poolSize: 0, outerLayer },
      { runnerProgram: program.path },
    );
    const booting = sandbox.reserve({ pluginId: "late" as never });
    await expect.poll(() => processesWith(program.path).length, SOON).toBeGreaterThan(0);
    await sandbox.close();
    expect(processesWith(program.path)).toEqual([]);
    expect(sandbox.status().ready).toBe(false);
    expect(await booting).toMatchObject({ allowed: false, code: "SANDBOX_CLOSED" });
  },
);

it("closes after a start that the system would not even begin", async () => {
  const folder = await mkdtemp(join(tmpdir(), "spawn-point-"));
  const point = await SpawnPoint.open(join(folder, "s"));
  const socket = createConnection(join(folder, "s"));
  // As without memory for another process, Node throws instead of reporting.
  const command = { file: "\0", args: [], throughBubblewrap: false, ownSession: true };
  const starting = await point.spawn(command, new AbortController().signal);
  await expect(starting.process).rejects.toThrow("null bytes");
  await point.close();
  socket.destroy();
  await rm(folder, { recursive: true });
});

/** The threads that begin from now until `end`. */
function newThreads(): { end(): readonly Worker[] } {
  const threads: Worker[] = [];
  const note = (thread: Worker): void => void threads.push(thread);
  process.on("worker", note);
  return {
    end: () => {
      process.off("worker", note);
      return threads;
    },
  };
}
