/**
 * @module The spawner: a thread of the host that confines itself with Landlock and then starts the
 * runners, which inherit it from their first instruction on; the host's other threads stay as they
 * are. It must live as long as they do: the kernel ends a runner with the thread that started it.
 */
import { parentPort, workerData } from "node:worker_threads";

import { confineThread, landlockVersion, loadSystemCalls } from "@glovebox/linux/process";

import type { SpawnerReport, SpawnerRequest, SpawnerSetup } from "./messages.ts";
import { type SpawnedProcess, SpawnPoint } from "./spawn-point.ts";

const { socketPath, readable, koffiEntry } = workerData as SpawnerSetup;
const report = (message: SpawnerReport): void => parentPort?.postMessage(message);
const running = new Map<number, SpawnedProcess>();
const starting = new Map<number, AbortController>();

// The socket is made before files are given up.
const point = await SpawnPoint.open(socketPath);
parentPort?.on("message", (request: SpawnerRequest) => {
  if (request.kind === "spawn") void start(request);
  else {
    starting.get(request.id)?.abort();
    running.get(request.id)?.kill();
  }
});
report({ kind: "ready", landlock: confine() });

/** The version of Landlock that is in force, or why none is. */
function confine(): number | string {
  const calls = loadSystemCalls(koffiEntry);
  if (calls === undefined) return "no system calls here";
  const version = landlockVersion(calls);
  if (version === 0) return "the kernel has no Landlock, or it is switched off";
  try {
    confineThread(calls, readable);
    return version;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function start({ id, command }: SpawnerRequest & { kind: "spawn" }): Promise<void> {
  const gone = new AbortController();
  starting.set(id, gone);
  try {
    const child = await (await point.spawn(command, gone.signal)).process;
    starting.delete(id);
    running.set(id, child);
    report({ kind: "spawned", id, pid: child.pid });
    const end = await child.ended;
    running.delete(id);
    report({ kind: "ended", id, end, lastWords: child.lastWords() });
  } catch (error) {
    starting.delete(id);
    report({ kind: "failed", id, message: error instanceof Error ? error.message : String(error) });
  }
}
