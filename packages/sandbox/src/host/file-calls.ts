/**
 * @module File operations of a runner, carried out on the plugin's file port. The table of open files
 * lives here and not in the runner, for one command only: what a call leaves open is closed with it,
 * so that no handle reaches another call. Every number and path is attacker-controlled; the port
 * decides about paths, this file about shapes and bounds.
 */
import type {
  CallScope,
  FileCondition,
  FileDecision,
  FileHandle,
  FilePort,
  FileStat,
  FileTimes,
} from "@glovebox/core/ports";

import { MAX_FILE_TRANSFER_BYTES, MAX_OPEN_FILES, MAX_PAGE_NAMES } from "../limits.ts";
import {
  decodeFileCall,
  encodeCondition,
  encodeContent,
  encodeHandle,
  encodePage,
  encodeStat,
  FILE_CALL,
  FILE_CONDITIONS,
  FILE_FLAG,
  type FileCall,
  rightsOf,
  type StatAnswer,
} from "../protocol/file-calls.ts";
import { MalformedHostCall } from "./malformed-host-call.ts";

const NOTHING = new Uint8Array(0);
const NS_PER_MS = 1_000_000n;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The files that one command has open. */
export class OpenFiles implements AsyncDisposable {
  readonly #handles = new Map<number, FileHandle>();
  #lastNumber = 0;
  #opening = 0;
  #closed = false;

  /** Carries out one operation; what the port refuses or a handle rejects with becomes a condition. */
  async answer(payload: Uint8Array, files: FilePort, scope: CallScope): Promise<Uint8Array> {
    const call = decodeFileCall(payload);
    if (call === undefined) throw new MalformedHostCall("a file operation that is none");
    try {
      return await this.#carryOut(call, files, scope);
    } catch (error) {
      if (error instanceof MalformedHostCall) throw error;
      return encodeCondition(conditionOf(error));
    }
  }

  /** Closes everything; safe to repeat. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.allSettled(handles.map((handle) => handle.close()));
  }

  async #carryOut(call: FileCall, files: FilePort, scope: CallScope): Promise<Uint8Array> {
    const { kind, flags } = call;
    const link = { followLinks: (flags & FILE_FLAG.FOLLOW_LINKS) !== 0 };
    switch (kind) {
      case FILE_CALL.OPEN:
        return this.#open(call, files, scope);
      case FILE_CALL.CLOSE:
        return this.#close(call.handle);
      case FILE_CALL.READ: {
        const max = Math.min(sizeOf(call.second), MAX_FILE_TRANSFER_BYTES);
        const bytes = await this.#handle(call).readAt(sizeOf(call.first), max);
        return encodeContent(bytes.subarray(0, max));
      }
      case FILE_CALL.WRITE: {
        const [bytes = NOTHING] = call.parts;
        if (bytes.length > MAX_FILE_TRANSFER_BYTES) return encodeCondition("EINVAL");
        return done(await this.#handle(call).writeAt(sizeOf(call.first), bytes));
      }
      case FILE_CALL.TRUNCATE:
        return done(await this.#handle(call).truncate(sizeOf(call.first)));
      case FILE_CALL.SYNC:
        return done(await this.#handle(call).sync());
      case FILE_CALL.HANDLE_STAT:
        return encodeContent(encodeStat(statAnswer(await this.#handle(call).stat())));
      case FILE_CALL.HANDLE_SET_TIMES:
        return done(await this.#handle(call).setTimes(timesOf(call)));
      case FILE_CALL.STAT:
        return answered(await files.stat(scope, pathAt(call, 0), link), (stat) =>
          encodeStat(statAnswer(stat)),
        );
      case FILE_CALL.SET_TIMES:
        return answered(await files.setTimes(scope, pathAt(call, 0), timesOf(call), link));
      case FILE_CALL.LIST:
        return list(call, files, scope);
      case FILE_CALL.RENAME:
        return answered(await files.rename(scope, pathAt(call, 0), pathAt(call, 1)));
      case FILE_CALL.REMOVE_FILE:
        return answered(await files.remove(scope, pathAt(call, 0), "file"));
      case FILE_CALL.REMOVE_DIRECTORY:
        return answered(await files.remove(scope, pathAt(call, 0), "directory"));
      case FILE_CALL.MAKE_DIRECTORY:
        return answered(await files.mkdir(scope, pathAt(call, 0)));
      case FILE_CALL.SYMLINK:
        return answered(await files.symlink(scope, pathAt(call, 0), pathAt(call, 1)));
      case FILE_CALL.READ_LINK:
        return answered(await files.readLink(scope, pathAt(call, 0)), (target) =>
          encoder.encode(target),
        );
      case FILE_CALL.LINK:
        return answered(await files.link(scope, pathAt(call, 0), pathAt(call, 1)));
      default:
        throw new MalformedHostCall(`a file operation of kind ${kind}`);
    }
  }

  async #open(call: FileCall, files: FilePort, scope: CallScope): Promise<Uint8Array> {
    if (this.#handles.size + this.#opening >= MAX_OPEN_FILES) return encodeCondition("EMFILE");
    this.#opening += 1;
    try {
      const decision = await files.open(scope, pathAt(call, 0), rightsOf(call.rights), {
        exclusive: (call.flags & FILE_FLAG.EXCLUSIVE) !== 0,
        truncate: (call.flags & FILE_FLAG.TRUNCATE) !== 0,
        followLinks: (call.flags & FILE_FLAG.FOLLOW_LINKS) !== 0,
      });
      if (!decision.allowed) return encodeCondition(decision.condition);
      if (this.#closed) {
        // The command ended while the file was opened: nobody is left to close it.
        await decision.value.close();
        return encodeCondition("ECANCELED");
      }
      this.#lastNumber += 1;
      this.#handles.set(this.#lastNumber, decision.value);
      return encodeContent(encodeHandle(this.#lastNumber));
    } finally {
      this.#opening -= 1;
    }
  }

  async #close(number: number): Promise<Uint8Array> {
    const handle = this.#handles.get(number);
    if (handle === undefined) return encodeCondition("EBADF");
    this.#handles.delete(number);
    return done(await handle.close());
  }

  #handle({ handle }: FileCall): FileHandle {
    const found = this.#handles.get(handle);
    if (found === undefined) throw new Failed("EBADF");
    return found;
  }
}

/** A condition on its way out of an operation. */
class Failed extends Error {
  readonly details: { readonly condition: FileCondition };

  constructor(condition: FileCondition) {
    super(condition);
    this.details = { condition };
  }
}

async function list(call: FileCall, files: FilePort, scope: CallScope): Promise<Uint8Array> {
  const max = Math.max(1, Math.min(sizeOf(call.first), MAX_PAGE_NAMES));
  const cursor = call.parts[1];
  const page = await files.list(
    scope,
    pathAt(call, 0),
    cursor === undefined ? undefined : textOf(cursor),
    max,
  );
  return answered(page, ({ entries, cursor: next }) =>
    encodePage({
      entries: entries.map(({ name, kind, id = 0n }) => ({ name, kind, id })),
      cursor: next,
    }),
  );
}

function done(_nothing: void): Uint8Array {
  return encodeContent(NOTHING);
}

function answered<T>(
  decision: FileDecision<T>,
  encode: (value: T) => Uint8Array = () => NOTHING,
): Uint8Array {
  return decision.allowed
    ? encodeContent(encode(decision.value))
    : encodeCondition(decision.condition);
}

/** The condition that an error of a handle or port carries; what carries none is the host's trouble. */
function conditionOf(error: unknown): FileCondition {
  const details = error instanceof Error && "details" in error ? error.details : undefined;
  const condition =
    typeof details === "object" && details !== null && "condition" in details
      ? details.condition
      : undefined;
  return FILE_CONDITIONS.find((known) => known === condition) ?? "EIO";
}

function pathAt(call: FileCall, at: number): string {
  const bytes = call.parts[at];
  if (bytes === undefined) throw new MalformedHostCall("a file operation without its path");
  return textOf(bytes);
}

/** Text that is no UTF-8 names nothing. */
function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Failed("EINVAL");
  }
}

/** An offset or size as a number; what a double cannot hold exactly is no place in a file. */
function sizeOf(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Failed("EINVAL");
  return Number(value);
}

function statAnswer(stat: FileStat): StatAnswer {
  return {
    kind: stat.kind,
    size: unsigned(BigInt(Math.trunc(stat.size))),
    accessedNs: stat.exactNs?.accessed ?? nanoseconds(stat.accessedMs),
    modifiedNs: stat.exactNs?.modified ?? nanoseconds(stat.modifiedMs),
    changedNs: stat.exactNs?.changed ?? nanoseconds(stat.changedMs),
    id: unsigned(stat.id),
    links: unsigned(BigInt(Math.trunc(stat.links))),
  };
}

function timesOf({ flags, first, second }: FileCall): FileTimes {
  const setsAccessed = (flags & FILE_FLAG.SET_ACCESSED) !== 0;
  const setsModified = (flags & FILE_FLAG.SET_MODIFIED) !== 0;
  return {
    ...(setsAccessed ? { accessedMs: milliseconds(first) } : {}),
    ...(setsModified ? { modifiedMs: milliseconds(second) } : {}),
    exactNs: {
      ...(setsAccessed ? { accessed: first } : {}),
      ...(setsModified ? { modified: second } : {}),
    },
  };
}

function nanoseconds(ms: number): bigint {
  if (!Number.isFinite(ms)) return 0n;
  const whole = Math.floor(ms);
  return unsigned(BigInt(whole) * NS_PER_MS + BigInt(Math.round((ms - whole) * 1e6)));
}

function milliseconds(ns: bigint): number {
  return Number(ns / NS_PER_MS) + Number(ns % NS_PER_MS) / 1e6;
}

/** The port is another package's: a number that does not fit must not throw here. */
function unsigned(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
