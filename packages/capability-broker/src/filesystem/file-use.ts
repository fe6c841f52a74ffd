/**
 * @module File work of one grant: bounded in number, given up at once when the grant is revoked or
 * the call ends, charged to the call before its effect.
 */
import type { CallScope } from "@glovebox/core/ports";

import { conditionOf, fileError } from "../disk/condition.ts";
import type { FileOperation, FileOperations, RootPlace } from "../disk/protocol.ts";
import { BrokerError, type BrokerErrorCode } from "../errors.ts";
import type { FileTotals } from "../grant/grant.ts";
import type { RevocationCell } from "../grant/revocation.ts";
import { type GrantUse, assertUse } from "../grant/use.ts";
import { MAX_REQUESTS_PER_GRANT } from "../limits.ts";
import type { FileCrew } from "./file-crew.ts";
import type { FileLane, WorkOptions } from "./file-lane.ts";

/** Bytes that one call has moved, over all its handles. */
export interface CallTotals {
  readonly read: Counter;
  readonly written: Counter;
}

/** One total. */
export interface Counter {
  /** Takes bytes, or throws `BROKER_FILE_QUOTA`. */
  take(bytes: number): void;
  /** Gives back what was not used. */
  giveBack(bytes: number): void;
}

/** Work in the name of one grant. */
export interface FileUse {
  /** Throws when the grant or the call is over; the error carries its condition. */
  assertUsable(scope: CallScope): void;
  laneOf(root: RootPlace): FileLane;
  /** Has work done; ends with the call and the grant. */
  run<Op extends FileOperation>(
    scope: CallScope,
    lane: FileLane,
    op: Op,
    request: FileOperations[Op]["request"],
    options?: WorkOptions<FileOperations[Op]["answer"]>,
  ): Promise<FileOperations[Op]["answer"]>;
  /** Calls `end` with the reason when the grant is revoked or the call is over; the answer unregisters. */
  onOver(scope: CallScope, end: (code: BrokerErrorCode) => void): () => void;
  totalsOf(scope: CallScope): CallTotals;
}

/** The work of one grant. */
export function createFileUse(
  owner: GrantUse,
  cell: RevocationCell,
  crew: FileCrew,
  limits: FileTotals | undefined,
): FileUse {
  const totals = new WeakMap<AbortSignal, CallTotals>();
  let requests = 0;

  const use: FileUse = {
    laneOf: (root) => crew.laneOf(root),
    assertUsable(scope) {
      try {
        assertUse(owner, cell, scope);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        throw fileError(error.code, error.message, conditionOf(error.code));
      }
    },
    async run(scope, lane, op, request, options) {
      use.assertUsable(scope);
      if (requests >= MAX_REQUESTS_PER_GRANT)
        throw fileError("BROKER_FILE_BUSY", `${requests} operations of this grant wait`);
      requests += 1;
      const work = lane.submit(op, request, options);
      const unregister = use.onOver(scope, (code) => work.abandon(code));
      try {
        return await work.answer;
      } finally {
        unregister();
        requests -= 1;
      }
    },
    onOver(scope, end) {
      const stop = (): void => end("BROKER_CANCELLED");
      const unregister = cell.onRevoke((code) => end(code));
      scope.signal.addEventListener("abort", stop, { once: true });
      return () => {
        unregister();
        scope.signal.removeEventListener("abort", stop);
      };
    },
    totalsOf(scope) {
      let own = totals.get(scope.signal);
      if (own === undefined) {
        own = {
          read: counter("read", limits?.maxReadBytesPerCall ?? 0),
          written: counter("written", limits?.maxWrittenBytesPerCall ?? 0),
        };
        totals.set(scope.signal, own);
      }
      return own;
    },
  };
  return use;
}

function counter(verb: string, max: number): Counter {
  let used = 0;
  return {
    take(bytes) {
      if (used + bytes > max)
        throw fileError("BROKER_FILE_QUOTA", `${used} of ${max} bytes ${verb} in this call`);
      used += bytes;
    },
    giveBack: (bytes) => void (used -= bytes),
  };
}
