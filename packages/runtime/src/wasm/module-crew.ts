/**
 * @module The threads that prepare modules, a few at most: each has one job at a time, with a deadline
 * and a limit of memory, and one that passes either is ended with its job and no other. A thread that
 * is not needed for a while ends, too.
 */
import { createRequire } from "node:module";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import type { Clock, Timer } from "@glovebox/core/clock";
import { type Decision, failClosedAsync, type Refusal, refuse } from "@glovebox/core/decision";
import type { Sha256 } from "@glovebox/core/ids";
import type { Engine } from "@glovebox/core/ports";
import type { MappedOffset } from "@glovebox/wasm-metering";

import {
  MAX_MODULE_THREADS,
  MODULE_THREAD_DEADLINE_MS,
  MODULE_THREAD_HEAP_MIB,
  MODULE_PIECE_BYTES,
  MODULE_THREAD_IDLE_MS,
} from "../limits.ts";
import type { FromThread, Job, MeteredBytes, ThreadSetup, ToThread } from "./messages.ts";

/** What a job needs of the host while it runs. */
export interface JobHost {
  readonly engine: Engine;
  /** The metered module, if it is known already; `versions` are those of metering and its costs. */
  known(sha256: Sha256, versions: string): MeteredBytes | undefined;
  /** A module that was metered now. */
  keep(sha256: Sha256, versions: string, metered: MeteredBytes): void;
}

/** Prepares modules off the event loop. */
export interface ModuleCrew extends AsyncDisposable {
  /** Validates a module and meters it; never rejects. The bytes must not change meanwhile. */
  prepare(job: Job, host: JobHost): Promise<Decision<MeteredBytes>>;
  /** Where in the original module these offsets in the metered one come from; never rejects. */
  locate(job: Job, offsets: readonly number[]): Promise<Decision<readonly MappedOffset[]>>;
}

/** What a crew may be told, for tests. */
export interface CrewDeps {
  readonly clock: Clock;
  /** Milliseconds that a thread may take between two messages. Default: 60,000. */
  readonly deadlineMs?: number;
  readonly spawn?: (setup: ThreadSetup) => Worker;
}

/** Sends to a thread, which then has its time to answer. */
type Say = (message: ToThread, transfer?: ArrayBuffer[]) => void;

/** A thread, with what it does now. */
interface Thread {
  readonly worker: Worker;
  onMessage: ((message: FromThread) => void) | undefined;
  onEnd: ((refusal: Refusal) => void) | undefined;
  idle: Timer | undefined;
}

/** No thread yet; the first job starts one. */
export function createModuleCrew(setup: ThreadSetup, deps: CrewDeps): ModuleCrew {
  const { clock, deadlineMs = MODULE_THREAD_DEADLINE_MS, spawn = spawnModuleThread } = deps;
  const free: Thread[] = [];
  const all = new Set<Thread>();
  const waiting: ((thread: Thread | undefined) => void)[] = [];
  let isClosed = false;

  function start(): Thread {
    const thread: Thread = {
      worker: spawn(setup),
      onMessage: undefined,
      onEnd: undefined,
      idle: undefined,
    };
    all.add(thread);
    thread.worker.on("message", (message: FromThread) => thread.onMessage?.(message));
    thread.worker.on("error", (error: Error) => end(thread, refusalOf(error)));
    thread.worker.on("exit", () => end(thread, lost("it ended")));
    return thread;
  }

  function end(thread: Thread, refusal: Refusal): void {
    if (!all.delete(thread)) return;
    thread.idle?.cancel();
    const at = free.indexOf(thread);
    if (at >= 0) free.splice(at, 1);
    void thread.worker.terminate();
    thread.onEnd?.(refusal);
    // Its place is another's now.
    const next = isClosed ? undefined : waiting.shift();
    next?.(start());
  }

  function take(): Promise<Thread | undefined> | Thread {
    const thread = free.pop();
    if (thread !== undefined) {
      thread.idle?.cancel();
      return thread;
    }
    if (all.size < MAX_MODULE_THREADS) return start();
    return new Promise((resolve) => waiting.push(resolve));
  }

  function giveBack(thread: Thread): void {
    thread.onMessage = undefined;
    thread.onEnd = undefined;
    if (!all.has(thread)) return;
    const next = waiting.shift();
    if (next !== undefined) {
      next(thread);
      return;
    }
    thread.worker.unref();
    thread.idle = clock.setTimer(MODULE_THREAD_IDLE_MS, () => end(thread, lost("it was idle")));
    free.push(thread);
  }

  /** Has a thread do a job. `answer` takes what the thread says, and may reply or end the job. */
  async function run<T>(
    thread: Thread,
    job: Job,
    answer: (message: FromThread, say: Say, settle: (decision: Decision<T>) => void) => void,
  ): Promise<Decision<T>> {
    const { worker } = thread;
    const ended = Promise.withResolvers<Decision<T>>();
    let timer: Timer | undefined;
    // Time counts while the thread has something to do, and not while the engine has.
    const say: Say = (message, transfer = []) => {
      if (!all.has(thread)) return;
      timer?.cancel();
      worker.postMessage(message, transfer);
      timer = clock.setTimer(deadlineMs, () => end(thread, tooLong(deadlineMs)));
    };
    thread.onEnd = (refusal) => ended.resolve(refusal);
    thread.onMessage = (message) => {
      timer?.cancel();
      answer(message, say, ended.resolve);
    };
    worker.ref();
    const { bytes, ...rest } = job;
    say({ ...rest, kind: "job", byteLength: bytes.length });
    try {
      for (let at = 0; at < bytes.length && all.has(thread); at += MODULE_PIECE_BYTES) {
        if (at > 0) await nextTurn();
        // A copy: the package's own bytes stay here.
        const piece = new Uint8Array(bytes.subarray(at, at + MODULE_PIECE_BYTES));
        say({ kind: "piece", bytes: piece }, [piece.buffer]);
      }
      return await ended.promise;
    } finally {
      timer?.cancel();
      giveBack(thread);
    }
  }

  function withThread<T>(work: (thread: Thread) => Promise<Decision<T>>): Promise<Decision<T>> {
    return failClosedAsync("wasm.thread", async () => {
      if (isClosed) return lost("the host is closed");
      const thread = await take();
      return thread === undefined ? lost("the host is closed") : work(thread);
    });
  }

  return {
    prepare: (job, host) => withThread((thread) => run(thread, job, preparing(job, host))),
    locate: (job, offsets) =>
      withThread((thread) =>
        run(thread, { ...job, locate: offsets }, (message, _, settle) => {
          settle(
            message.kind === "located" ? message.decision : lost("it answered something else"),
          );
        }),
      ),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      for (const resolve of waiting.splice(0)) resolve(undefined);
      const workers = [...all].map(({ worker }) => worker);
      for (const thread of all) end(thread, lost("the host is closed"));
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Answers a thread that prepares a module. */
function preparing({ bytes }: Job, host: JobHost) {
  let cached: MeteredBytes | undefined;
  let key: { readonly sha256: Sha256; readonly versions: string } | undefined;
  return (
    message: FromThread,
    say: Say,
    settle: (decision: Decision<MeteredBytes>) => void,
  ): void => {
    switch (message.kind) {
      case "judge":
        void failClosedAsync("wasm.engine", () => host.engine.validate(bytes)).then((decision) =>
          say({ kind: "verdict", decision }),
        );
        return;
      case "validated":
        key = message;
        cached = host.known(message.sha256, message.versions);
        say({ kind: "meter", isNeeded: cached === undefined });
        return;
      case "done": {
        const { decision } = message;
        if (!decision.allowed) settle(decision);
        else if (decision.value !== undefined && key !== undefined) {
          host.keep(key.sha256, key.versions, decision.value);
          settle({ ...decision, value: decision.value });
        } else if (cached !== undefined) settle({ ...decision, value: cached });
        else settle(lost("it answered nothing"));
        return;
      }
      case "located":
        settle(lost("it answered something else"));
    }
  };
}

/** The real thread: from source while this file is source, else as built. */
function spawnModuleThread(workerData: ThreadSetup): Worker {
  const isSource = import.meta.url.endsWith(".ts");
  const program = isSource
    ? new URL("thread-program.ts", import.meta.url)
    : createRequire(import.meta.url).resolve("#module-thread");
  return new Worker(program, {
    workerData,
    execArgv: isSource ? ["--conditions=@glovebox/source", "--no-warnings"] : ["--no-warnings"],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MODULE_THREAD_HEAP_MIB },
  });
}

function tooLong(deadlineMs: number): Refusal {
  const reason = `reading and metering the module took more than ${deadlineMs} ms`;
  return refuse("RUNTIME_MODULE_WORK", "wasm.thread.deadline", reason);
}

function refusalOf(error: Error): Refusal {
  const { code } = error as { code?: unknown };
  if (code !== "ERR_WORKER_OUT_OF_MEMORY") return lost(error.message);
  const reason = `reading and metering the module took more than ${MODULE_THREAD_HEAP_MIB} MiB of heap`;
  return refuse("RUNTIME_MODULE_WORK", "wasm.thread.memory", reason);
}

function lost(why: string): Refusal {
  return refuse("RUNTIME_MODULE_WORK", "wasm.thread", `the thread that meters modules: ${why}`);
}
