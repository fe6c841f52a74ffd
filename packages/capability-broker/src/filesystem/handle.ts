/**
 * @module An open file in a plugin's hands. Every use asks the revocation cell and the call's signal
 * again; limits are applied before the effect. The descriptor is closed only when no operation uses
 * it, for its number would otherwise be another file's by then.
 */
import type { CallScope, FileHandle, FileRight } from "@glovebox/core/ports";

import type { BrokerErrorCode } from "../errors.ts";
import type { FolderGrant } from "../grant/grant.ts";
import { MAX_TRANSFER_BYTES } from "../limits.ts";
import { fileError } from "./condition.ts";
import { type Describe, assertTimes, secondsOf } from "./describe.ts";
import { calls, rethrowCoded } from "./descriptor.ts";
import type { HostRoot } from "./host-root.ts";

/** How a handle was closed. */
export interface HandleEnd {
  readonly code?: BrokerErrorCode;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Bytes that one call has moved, over all its handles. */
export interface CallTotals {
  takeRead(bytes: number): void;
  takeWritten(bytes: number): void;
}

/** What a handle works with. */
export interface HandleContext {
  readonly fd: number;
  readonly inode: number;
  readonly folder: FolderGrant;
  readonly rights: ReadonlySet<FileRight>;
  readonly root: HostRoot;
  readonly scope: CallScope;
  readonly totals: CallTotals;
  readonly describe: Describe;
  /** Throws when the grant or the call is over. */
  readonly assertUsable: () => void;
  /** Called once, when the handle is closed or broken. */
  readonly onEnd: (end: HandleEnd) => void;
}

/** A handle and the way to break it from outside. */
export interface OpenHandle {
  readonly handle: FileHandle;
  fail(code: BrokerErrorCode): void;
}

/** A handle over an open descriptor, which it owns from now on. */
export function createHandle(context: HandleContext): OpenHandle {
  const { fd, inode, folder, rights, root, scope, totals } = context;
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  let closedWith: BrokerErrorCode | undefined;
  let pending = 0;
  let bytesRead = 0;
  let bytesWritten = 0;
  root.hold(inode);

  function end(code: BrokerErrorCode): void {
    if (closedWith !== undefined) return;
    closedWith = code;
    broken.reject(fileError(code));
    context.onEnd({ ...(code === "BROKER_FILE_CLOSED" ? {} : { code }), bytesRead, bytesWritten });
    closeWhenIdle();
  }

  function closeWhenIdle(): void {
    if (closedWith === undefined || pending > 0) return;
    pending = Number.POSITIVE_INFINITY;
    calls.close(fd).catch(() => undefined);
    root.drop(inode);
  }

  function assertOpen(): void {
    if (closedWith !== undefined) throw fileError(closedWith);
    context.assertUsable();
  }

  /** Runs an operation on the descriptor; revocation rejects at once, while the kernel may still finish. */
  async function use<T>(needed: FileRight | undefined, run: () => Promise<T>): Promise<T> {
    assertOpen();
    if (needed !== undefined && !rights.has(needed)) {
      throw fileError("BROKER_RIGHT_NOT_GRANTED", `the file was opened without ${needed}`);
    }
    scope.meter.add("fileOperations", 1);
    pending += 1;
    const work = run()
      .catch(rethrowCoded)
      .finally(() => {
        pending -= 1;
        closeWhenIdle();
      });
    return Promise.race([work, broken.promise]);
  }

  /** Changes the size within the quotas; what was reserved and not used is given back. */
  function grow(to: (size: number) => number, act: (size: number) => Promise<void>): Promise<void> {
    return root.change(async () => {
      assertOpen();
      const before = await calls.fstat(fd);
      // A removed file no longer counts, so it may not grow.
      if (before.nlink !== 1)
        throw fileError("BROKER_FILE_KIND", `the file has ${before.nlink} links`);
      const target = to(before.size);
      if (target > folder.maxFileBytes) {
        throw fileError("BROKER_FILE_SIZE", `${target} bytes; at most ${folder.maxFileBytes}`);
      }
      const reserved = Math.max(0, target - before.size);
      root.reserve(folder, reserved, 0);
      try {
        await act(before.size);
      } finally {
        const after = await calls.fstat(fd);
        root.release(reserved - (after.size - before.size), 0);
      }
    });
  }

  async function read(offset: number, max: number): Promise<Uint8Array> {
    const { size } = await calls.fstat(fd);
    if (size > folder.maxFileBytes) throw fileError("BROKER_FILE_SIZE", "the file has grown");
    const wanted = Math.max(0, Math.min(max, MAX_TRANSFER_BYTES, size - offset));
    totals.takeRead(wanted);
    // Zero-filled and exactly as long as what was read: no bytes of others come along.
    const bytes = new Uint8Array(wanted);
    const done = wanted === 0 ? 0 : (await calls.read(fd, bytes, 0, wanted, offset)).bytesRead;
    bytesRead += done;
    return done === wanted ? bytes : bytes.slice(0, done);
  }

  async function write(offset: number, bytes: Uint8Array): Promise<void> {
    const appends = !rights.has("write");
    totals.takeWritten(bytes.length);
    await grow(
      (size) => Math.max(size, offset + bytes.length),
      async (size) => {
        if (appends && offset !== size)
          throw rangeError(`append at ${offset}; the file ends at ${size}`);
        for (let at = 0; at < bytes.length;) {
          const done = await calls.write(
            fd,
            bytes,
            at,
            bytes.length - at,
            appends ? null : offset + at,
          );
          at += done.bytesWritten;
        }
      },
    );
    bytesWritten += bytes.length;
  }

  const handle: FileHandle = {
    readAt: async (offset, max) => {
      assertWhole("offset", offset);
      assertWhole("max", max);
      return use("read", () => read(offset, max));
    },
    writeAt: async (offset, bytes) => {
      assertWhole("offset", offset);
      if (bytes.length > MAX_TRANSFER_BYTES)
        throw rangeError(`one write takes at most ${MAX_TRANSFER_BYTES} bytes`);
      return use(rights.has("write") ? "write" : "append", () => write(offset, bytes));
    },
    truncate: async (size) => {
      assertWhole("size", size);
      return use("truncate", () =>
        grow(
          () => size,
          () => calls.ftruncate(fd, size),
        ),
      );
    },
    sync: () => use(undefined, () => calls.fsync(fd)),
    stat: () => use(undefined, async () => context.describe(await calls.fstat(fd))),
    setTimes: async (times) => {
      assertTimes(times);
      return use("setTimes", async () => {
        const { accessed, modified } = secondsOf(times, await calls.fstat(fd));
        await calls.futimes(fd, accessed, modified);
      });
    },
    close: async () => end("BROKER_FILE_CLOSED"),
    [Symbol.asyncDispose]: async () => end("BROKER_FILE_CLOSED"),
  };
  return { handle, fail: end };
}

function assertWhole(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw rangeError(`${name} must be a whole number from 0`);
}

function rangeError(message: string): Error {
  return fileError("BROKER_FILE_RANGE", message);
}
