/**
 * @module One file worker as the host's thread sees it: a bounded queue before it, a deadline on what
 * it does, and another in its place when it does not answer (threat: slow-disk). Requests that
 * nobody waits for any more are taken back, or marked so that the worker skips them.
 */
import type { Worker } from "node:worker_threads";

import type { Clock, Timer } from "@glovebox/core/clock";

import { fileError } from "../disk/condition.ts";
import { closeKept } from "../disk/kept-descriptors.ts";
import type {
  AccountTotals,
  FileOperation,
  FileOperations,
  FileReply,
  FileRequest,
  WorkerSetup,
} from "../disk/protocol.ts";
import type { BrokerErrorCode } from "../errors.ts";
import {
  MAX_KEPT_DESCRIPTORS,
  MAX_SENT_REQUESTS,
  MAX_STALLED_WORKERS,
  MAX_WAITING_BYTES,
  MAX_WAITING_REQUESTS,
} from "../limits.ts";

/** What a lane works with. */
export interface LaneContext {
  readonly clock: Clock;
  /** Milliseconds that one operation may take. */
  readonly timeoutMs: number;
  readonly spawn: (setup: WorkerSetup) => Worker;
  readonly setup: Omit<WorkerSetup, "cancelled" | "kept">;
  /** Is told what lies below directories, before the answer that comes with it. */
  readonly onAccounts: (totals: readonly AccountTotals[]) => void;
}

/** Work that was handed in. */
export interface FileWork<Answer> {
  readonly answer: Promise<Answer>;
  /** Nobody waits any more: rejects at once; an answer that comes nevertheless goes to `onLate`. */
  abandon(code: BrokerErrorCode): void;
}

/** How work is handed in. */
export interface WorkOptions<Answer> {
  /** Must be done whatever the queue holds, such as closing a handle. Default: false. */
  readonly isOwed?: boolean;
  readonly onLate?: (answer: Answer) => void;
}

/** One worker and what waits for it. */
export interface FileLane {
  submit<Op extends FileOperation>(
    op: Op,
    request: FileOperations[Op]["request"],
    options?: WorkOptions<FileOperations[Op]["answer"]>,
  ): FileWork<FileOperations[Op]["answer"]>;
  /** Calls `run` when the worker is given up, and its handles with it; the answer unregisters. */
  onLost(run: () => void): () => void;
  close(): Promise<void>;
}

interface Job {
  readonly op: FileOperation;
  readonly request: FileOperations[FileOperation]["request"];
  readonly bytes: number;
  readonly isOwed: boolean;
  readonly onLate: ((answer: never) => void) | undefined;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  id: number;
  slot: number;
  isAbandoned: boolean;
}

/** A lane without a worker; the first work starts one. */
export function createFileLane(context: LaneContext): FileLane {
  const { clock, timeoutMs } = context;
  const waiting: Job[] = [];
  const lostListeners = new Set<() => void>();
  let waitingBytes = 0;
  let running: Running | undefined;
  let stalled = 0;
  let lastId = 0;
  let isClosed = false;

  /** A worker with what it was sent, in order: the first is what it does now. */
  interface Running {
    readonly worker: Worker;
    readonly cancelled: Int32Array;
    readonly kept: Int32Array;
    readonly freeSlots: number[];
    readonly sent: Job[];
    headSinceMs: number;
    timer: Timer | undefined;
  }

  function start(): Running {
    const cancelled = new Int32Array(new SharedArrayBuffer(4 * MAX_SENT_REQUESTS));
    const kept = new Int32Array(new SharedArrayBuffer(4 * MAX_KEPT_DESCRIPTORS));
    const worker = context.spawn({ ...context.setup, cancelled, kept });
    const next: Running = {
      worker,
      cancelled,
      kept,
      freeSlots: Array.from(cancelled.keys()),
      sent: [],
      headSinceMs: 0,
      timer: undefined,
    };
    worker.unref();
    worker.on("message", (reply: FileReply) => settle(next, reply));
    worker.on("error", () => giveUp(next));
    worker.on("exit", () => giveUp(next));
    return next;
  }

  function pump(): void {
    while (waiting.length > 0) {
      running ??= start();
      const slot = running.freeSlots.pop();
      const job = slot === undefined ? undefined : waiting.shift();
      if (slot === undefined || job === undefined) return;
      waitingBytes -= job.bytes;
      send(running, job, slot);
    }
  }

  function send(to: Running, job: Job, slot: number): void {
    job.id = ++lastId;
    job.slot = slot;
    Atomics.store(to.cancelled, slot, 0);
    to.sent.push(job);
    if (to.sent.length === 1) {
      to.headSinceMs = clock.monotonicMs();
      to.timer ??= clock.setTimer(timeoutMs, () => check(to));
      to.worker.ref();
    }
    const request: FileRequest = {
      id: job.id,
      slot: job.isOwed ? -1 : slot,
      op: job.op,
      request: job.request,
    };
    to.worker.postMessage(request, bytesIn(job.request));
  }

  function settle(from: Running, reply: FileReply): void {
    const job = from.sent.shift();
    if (job === undefined || job.id !== reply.id) return giveUp(from);
    if (reply.accounts !== undefined) context.onAccounts(reply.accounts);
    from.freeSlots.push(job.slot);
    from.headSinceMs = clock.monotonicMs();
    if (from.sent.length === 0) from.worker.unref();
    if (reply.ok && job.isAbandoned) job.onLate?.(reply.answer as never);
    else if (reply.ok) job.resolve(reply.answer as never);
    else job.reject(fileError(reply.error.code, reply.error.message, reply.error.condition));
    pump();
  }

  /** One timer for all work: it looks whether the same request has been at the head all the time. */
  function check(of: Running): void {
    of.timer = undefined;
    if (of !== running || of.sent.length === 0) return;
    const leftMs = of.headSinceMs + timeoutMs - clock.monotonicMs();
    if (leftMs <= 0) giveUp(of);
    else of.timer = clock.setTimer(leftMs, () => check(of));
  }

  /** A thread inside a system call ends only when that returns, so nobody waits for it. */
  function giveUp(lost: Running): void {
    if (lost !== running) return;
    running = undefined;
    lost.timer?.cancel();
    lost.worker.removeAllListeners();
    lost.worker.on("error", () => undefined);
    stalled += 1;
    lost.worker.unref();
    void lost.worker.terminate().finally(() => {
      stalled -= 1;
      closeKept(lost.kept);
    });
    for (const job of [...lost.sent, ...waiting.splice(0)])
      job.reject(fileError("BROKER_FILE_STALLED"));
    waitingBytes = 0;
    for (const run of Array.from(lostListeners)) run();
  }

  function refusalFor(job: Job): BrokerErrorCode | undefined {
    if (isClosed) return "BROKER_CLOSED";
    if (stalled >= MAX_STALLED_WORKERS) return "BROKER_FILE_STALLED";
    if (job.isOwed) return undefined;
    const isFull =
      waiting.length >= MAX_WAITING_REQUESTS || waitingBytes + job.bytes > MAX_WAITING_BYTES;
    return isFull ? "BROKER_FILE_BUSY" : undefined;
  }

  return {
    submit(op, request, { isOwed = false, onLate } = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      const bytes = "bytes" in request ? request.bytes.length : 0;
      const fate = { id: 0, slot: -1, isAbandoned: false };
      const job: Job = { op, request, bytes, isOwed, onLate, resolve, reject, ...fate };
      const refused = refusalFor(job);
      if (refused === undefined) {
        waiting.push(job);
        waitingBytes += bytes;
        pump();
      } else reject(fileError(refused));
      return {
        answer: promise,
        abandon(code) {
          reject(fileError(code));
          if (job.isAbandoned) return;
          job.isAbandoned = true;
          const at = waiting.indexOf(job);
          if (at >= 0) {
            waiting.splice(at, 1);
            waitingBytes -= bytes;
          } else if (running?.sent.includes(job) === true)
            Atomics.store(running.cancelled, job.slot, 1);
        },
      };
    },
    onLost(run) {
      lostListeners.add(run);
      return () => lostListeners.delete(run);
    },
    async close() {
      const worker = running?.worker;
      if (worker === undefined || isClosed) {
        isClosed = true;
        return;
      }
      const { answer } = this.submit("shutDown", {}, { isOwed: true });
      isClosed = true;
      // A disk that does not answer is not waited for: the deadline holds here too.
      const isAnswered = await answer.then(
        () => true,
        () => false,
      );
      if (!isAnswered) return;
      running?.timer?.cancel();
      running = undefined;
      worker.removeAllListeners();
      await worker.terminate();
    },
  };
}

/** Buffers that are handed over and not copied: the request owns them. */
function bytesIn(request: Job["request"]): readonly ArrayBuffer[] {
  return "bytes" in request ? [request.bytes.buffer as ArrayBuffer] : [];
}
