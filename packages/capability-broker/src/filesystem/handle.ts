/**
 * @module An open file in a plugin's hands; the descriptor is the worker's. Every use asks the
 * revocation cell and the call's signal again; limits are applied before the effect. What was
 * written aside is published by `close`, after a last look of the scanner.
 */
import type { CallScope, FileHandle, FileRight } from "@glovebox/core/ports";

import { fileError } from "../disk/condition.ts";
import type { FileOperation, FileOperations } from "../disk/protocol.ts";
import { assertTimes } from "../disk/times.ts";
import type { BrokerError, BrokerErrorCode } from "../errors.ts";
import { MAX_TRANSFER_BYTES } from "../limits.ts";
import type { FileLane } from "./file-lane.ts";
import type { FileUse } from "./file-use.ts";

/** How a handle was closed. */
export interface HandleEnd {
  readonly code?: BrokerErrorCode;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** What a handle works with. */
export interface HandleContext {
  /** The worker's number for the descriptor. */
  readonly id: number;
  readonly lane: FileLane;
  readonly use: FileUse;
  readonly scope: CallScope;
  readonly rights: ReadonlySet<FileRight>;
  /** Gives what was written aside its name; absent for what is written in place. */
  readonly publish?: (id: number) => Promise<void>;
  /** Whether a handle that is disposed of and not closed is published too. */
  readonly publishesAlways: boolean;
  /** Called before a change that is not a write, with what it is. */
  readonly onChange: (kind: "truncate" | "setTimes") => void;
  /** Called once, when the handle is closed or broken. */
  readonly onEnd: (end: HandleEnd) => void;
}

/** A handle over a descriptor of the worker, which it owns from now on. */
export function createHandle(context: HandleContext): FileHandle {
  const { id, lane, use, scope, rights } = context;
  const totals = use.totalsOf(scope);
  /** Rejects what waits, when the handle ends. Not one promise to race: each race would leave a trace at it. */
  const waiting = new Set<(error: BrokerError) => void>();
  let closedWith: BrokerErrorCode | undefined;
  let isClosing = false;
  let closing: Promise<void> | undefined;
  let bytesRead = 0;
  let bytesWritten = 0;
  const unregister = [
    use.onOver(scope, (code) => end(code)),
    lane.onLost(() => end("BROKER_FILE_STALLED")),
  ];

  function end(code: BrokerErrorCode): void {
    if (closedWith !== undefined) return;
    closedWith = code;
    for (const leave of unregister) leave();
    for (const reject of waiting) reject(fileError(code));
    const why = code === "BROKER_FILE_CLOSED" ? {} : { code };
    context.onEnd({ ...why, bytesRead, bytesWritten });
    // After what was sent before it; a worker that is gone has closed everything.
    closing = lane.submit("close", { handle: id }, { isOwed: true }).answer.catch(() => undefined);
  }

  function assertOpen(): void {
    if (closedWith !== undefined) throw fileError(closedWith);
    if (isClosing) throw fileError("BROKER_FILE_CLOSED");
    use.assertUsable(scope);
  }

  /** The outcome of some work, or the end of the handle. */
  function orEnded<T>(work: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    waiting.add(reject);
    work.finally(() => waiting.delete(reject)).then(resolve, reject);
    return promise;
  }

  /** Has something done; revocation rejects at once, while the kernel may still finish. */
  async function run<Op extends FileOperation>(
    needed: FileRight | undefined,
    op: Op,
    request: FileOperations[Op]["request"],
  ): Promise<FileOperations[Op]["answer"]> {
    assertOpen();
    assertRight(needed);
    scope.meter.add("fileOperations", 1);
    return orEnded(use.run(scope, lane, op, request));
  }

  function assertRight(needed: FileRight | undefined): void {
    if (needed !== undefined && !rights.has(needed))
      throw fileError("BROKER_RIGHT_NOT_GRANTED", `the file was opened without ${needed}`);
  }

  async function finish(publishes: boolean): Promise<void> {
    if (isClosing || closedWith !== undefined) return;
    isClosing = true;
    try {
      if (publishes && context.publish !== undefined) await orEnded(context.publish(id));
    } finally {
      end("BROKER_FILE_CLOSED");
      await closing;
    }
  }

  return {
    async readAt(offset, max) {
      assertWhole("offset", offset);
      assertWhole("max", max);
      assertRight("read");
      const most = Math.min(max, MAX_TRANSFER_BYTES);
      totals.read.take(most);
      let read = 0;
      try {
        const bytes = await run("read", "readAt", { handle: id, offset, max: most });
        read = bytes.length;
        bytesRead += read;
        return bytes;
      } finally {
        totals.read.giveBack(most - read);
      }
    },
    async writeAt(offset, bytes) {
      assertWhole("offset", offset);
      if (bytes.length > MAX_TRANSFER_BYTES)
        throw rangeError(`one write takes at most ${MAX_TRANSFER_BYTES} bytes`);
      const right = rights.has("write") ? "write" : "append";
      assertOpen();
      assertRight(right);
      totals.written.take(bytes.length);
      // A copy: what the caller does to its buffer meanwhile is not written.
      await run(right, "writeAt", { handle: id, offset, bytes: new Uint8Array(bytes) });
      bytesWritten += bytes.length;
    },
    async truncate(size) {
      assertWhole("size", size);
      assertOpen();
      assertRight("truncate");
      context.onChange("truncate");
      return run("truncate", "truncate", { handle: id, size });
    },
    sync: () => run(undefined, "sync", { handle: id }),
    stat: () => run(undefined, "handleStat", { handle: id }),
    async setTimes(times) {
      assertTimes(times);
      assertOpen();
      assertRight("setTimes");
      context.onChange("setTimes");
      return run("setTimes", "handleTimes", { handle: id, times });
    },
    close: () => finish(true),
    [Symbol.asyncDispose]: () => finish(context.publishesAlways),
  };
}

function assertWhole(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw rangeError(`${name} must be a whole number from 0`);
}

function rangeError(message: string): Error {
  return fileError("BROKER_FILE_RANGE", message);
}
