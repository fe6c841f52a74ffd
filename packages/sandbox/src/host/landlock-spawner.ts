/**
 * @module The host's end of the spawner's thread (spawner/main.ts), as something that starts
 * processes.
 */
import { readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

import { SandboxError } from "../errors.ts";
import { SPAWNER_HEAP_MIB } from "../limits.ts";
import type { SpawnerReport, SpawnerRequest, SpawnerSetup } from "../spawner/messages.ts";
import type { ProcessEnd, SpawnCommand, Starting } from "../spawner/spawn-point.ts";

/** Something that starts processes on connections to its socket, in their order. */
export interface Spawner {
  /** Whether it can start any more. */
  readonly isAlive: boolean;
  /**
   * Starts a process on the next connection, and answers once it has that; another may be made then.
   * `gone`: the connection's other end has closed.
   */
  spawn(command: SpawnCommand, gone: AbortSignal): Promise<Starting>;
  close(): Promise<void>;
}

/** A process that the thread has started, or is about to. */
interface Child {
  readonly spawned: PromiseWithResolvers<number>;
  readonly ended: PromiseWithResolvers<ProcessEnd>;
  pid: number | undefined;
  lastWords: string;
}

const LOST: ProcessEnd = { exitCode: null, signal: null };

/**
 * Starts the thread; answers it with the version of Landlock that binds it, or says why none does,
 * and then there is no thread.
 */
export async function openLandlockSpawner(
  setup: SpawnerSetup,
): Promise<{ readonly spawner: Spawner; readonly version: number } | string> {
  // libuv starts its pool with the first work for it. It must not be this thread's, or the host's
  // own file work would be confined with it.
  await access("/");
  const isSource = import.meta.url.endsWith(".ts");
  const program = isSource
    ? new URL("../spawner/main.ts", import.meta.url)
    : createRequire(import.meta.url).resolve("#spawner");
  const worker = new Worker(program, {
    workerData: setup,
    execArgv: isSource ? ["--conditions=@glovebox/source", "--no-warnings"] : ["--no-warnings"],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: SPAWNER_HEAP_MIB },
  });
  worker.unref();
  const ready = Promise.withResolvers<number | string>();
  const children = new Map<number, Child>();
  let exited = false;
  worker.on("message", (report: SpawnerReport) => {
    if (report.kind === "ready") {
      ready.resolve(report.landlock);
      return;
    }
    const child = children.get(report.id);
    if (child === undefined) return;
    if (report.kind === "spawned") {
      child.pid = report.pid;
      child.spawned.resolve(report.pid);
      return;
    }
    children.delete(report.id);
    if (report.kind === "failed") {
      child.spawned.reject(new SandboxError("SANDBOX_BOOT_FAILED", { message: report.message }));
    } else {
      child.lastWords = report.lastWords;
      child.ended.resolve(report.end);
    }
  });
  worker.once("error", ready.reject);
  worker.once("exit", () => {
    exited = true;
    ready.reject(new Error("the spawner's thread has ended"));
    for (const child of children.values()) {
      child.spawned.reject(endedThread());
      // Its processes die with it, but for those that had not asked the kernel for that yet.
      if (child.pid !== undefined) killOwn(child.pid);
      child.ended.resolve(LOST);
    }
  });
  const send = (request: SpawnerRequest): void => worker.postMessage(request);
  let lastId = 0;
  const spawner: Spawner = {
    get isAlive() {
      return !exited;
    },
    async spawn(command, gone) {
      if (exited) throw endedThread();
      const id = ++lastId;
      const child: Child = {
        spawned: Promise.withResolvers(),
        ended: Promise.withResolvers(),
        pid: undefined,
        lastWords: "",
      };
      const kill = (): void => send({ kind: "kill", id });
      children.set(id, child);
      send({ kind: "spawn", id, command });
      if (gone.aborted) kill();
      gone.addEventListener("abort", kill);
      try {
        const pid = await child.spawned.promise;
        const lastWords = (): string => child.lastWords;
        return { process: Promise.resolve({ pid, lastWords, kill, ended: child.ended.promise }) };
      } finally {
        gone.removeEventListener("abort", kill);
      }
    },
    close: async () => void (await worker.terminate()),
  };
  const version = await ready.promise.catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  if (typeof version === "number") return { spawner, version };
  await spawner.close();
  return version;
}

/** Nobody waits for the thread's processes any more, so that one which is still our child is it. */
function killOwn(pid: number): void {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1"); // the name in it may hold anything
    const parent = Number(/\) \w (\d+) [^)]*$/.exec(stat)?.[1]);
    if (parent === process.pid) process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}

function endedThread(): SandboxError {
  return new SandboxError("SANDBOX_BOOT_FAILED", {
    message: "the thread that starts runners has ended",
  });
}
