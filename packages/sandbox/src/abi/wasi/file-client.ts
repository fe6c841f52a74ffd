/**
 * @module The host's file port as synchronous calls. Nothing is decided here: a path or handle that
 * the grant does not cover comes back as an error of the host.
 */
import type { FileRight } from "@glovebox/core/ports";

import {
  decodeAnswer,
  decodeHandle,
  decodePage,
  decodeStat,
  encodeFileCall,
  FILE_CALL,
  FILE_FLAG,
  type FileCall,
  type FileCallKind,
  type PageAnswer,
  rightBits,
  type StatAnswer,
} from "../../protocol/file-calls.ts";
import { HOST_CALL } from "../../protocol/frame-table.ts";
import type { HostBridge } from "../abi.ts";
import { ERRNO_OF_CONDITION, fail } from "./errno.ts";

const encoder = new TextEncoder();

/** Times to set, nanoseconds since 1970; an absent one stays as it is. */
export interface NewTimes {
  readonly accessedNs?: bigint | undefined;
  readonly modifiedNs?: bigint | undefined;
}

/** How a file is opened. */
export interface OpenRequest {
  readonly rights: readonly FileRight[];
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly followLinks: boolean;
}

/** File operations; each throws a WASI error when the host refuses. */
export class FileClient {
  readonly #host: HostBridge;

  constructor(host: HostBridge) {
    this.#host = host;
  }

  open(path: string, { rights, exclusive, truncate, followLinks }: OpenRequest): number {
    const flags =
      (exclusive ? FILE_FLAG.EXCLUSIVE : 0) |
      (truncate ? FILE_FLAG.TRUNCATE : 0) |
      (followLinks ? FILE_FLAG.FOLLOW_LINKS : 0);
    const request = { flags, rights: rightBits(rights), parts: [encoder.encode(path)] };
    return decodeHandle(this.#send(FILE_CALL.OPEN, request));
  }

  close(handle: number): void {
    this.#send(FILE_CALL.CLOSE, { handle });
  }

  read(handle: number, offset: bigint, max: number): Uint8Array {
    return this.#send(FILE_CALL.READ, { handle, first: offset, second: BigInt(max) });
  }

  write(handle: number, offset: bigint, bytes: Uint8Array): void {
    this.#send(FILE_CALL.WRITE, { handle, first: offset, parts: [bytes] });
  }

  truncate(handle: number, size: bigint): void {
    this.#send(FILE_CALL.TRUNCATE, { handle, first: size });
  }

  sync(handle: number): void {
    this.#send(FILE_CALL.SYNC, { handle });
  }

  handleStat(handle: number): StatAnswer {
    return decodeStat(this.#send(FILE_CALL.HANDLE_STAT, { handle }));
  }

  setHandleTimes(handle: number, times: NewTimes): void {
    this.#send(FILE_CALL.HANDLE_SET_TIMES, { handle, ...encodeTimes(times) });
  }

  stat(path: string, followLinks: boolean): StatAnswer {
    const flags = followLinks ? FILE_FLAG.FOLLOW_LINKS : 0;
    return decodeStat(this.#send(FILE_CALL.STAT, { flags, parts: [encoder.encode(path)] }));
  }

  setTimes(path: string, times: NewTimes, followLinks: boolean): void {
    const { flags, ...rest } = encodeTimes(times);
    const parts = [encoder.encode(path)];
    const follow = followLinks ? FILE_FLAG.FOLLOW_LINKS : 0;
    this.#send(FILE_CALL.SET_TIMES, { flags: flags | follow, ...rest, parts });
  }

  list(path: string, cursor: string | undefined, max: number): PageAnswer {
    const parts = cursor === undefined ? [path] : [path, cursor];
    const request = { first: BigInt(max), parts: parts.map((part) => encoder.encode(part)) };
    return decodePage(this.#send(FILE_CALL.LIST, request));
  }

  rename(from: string, to: string): void {
    this.#paths(FILE_CALL.RENAME, from, to);
  }

  removeFile(path: string): void {
    this.#paths(FILE_CALL.REMOVE_FILE, path);
  }

  removeDirectory(path: string): void {
    this.#paths(FILE_CALL.REMOVE_DIRECTORY, path);
  }

  makeDirectory(path: string): void {
    this.#paths(FILE_CALL.MAKE_DIRECTORY, path);
  }

  symlink(target: string, path: string): void {
    this.#paths(FILE_CALL.SYMLINK, target, path);
  }

  readLink(path: string): Uint8Array {
    return this.#paths(FILE_CALL.READ_LINK, path);
  }

  link(from: string, to: string): void {
    this.#paths(FILE_CALL.LINK, from, to);
  }

  #paths(kind: FileCallKind, ...paths: readonly string[]): Uint8Array {
    return this.#send(kind, { parts: paths.map((path) => encoder.encode(path)) });
  }

  #send(kind: FileCallKind, call: Partial<FileCall>): Uint8Array {
    const whole = { flags: 0, rights: 0, handle: 0, first: 0n, second: 0n, parts: [], ...call };
    const answer = decodeAnswer(this.#host(HOST_CALL.FILES, encodeFileCall({ ...whole, kind })));
    return typeof answer === "string" ? fail(ERRNO_OF_CONDITION[answer]) : answer;
  }
}

function encodeTimes({ accessedNs, modifiedNs }: NewTimes) {
  return {
    flags:
      (accessedNs === undefined ? 0 : FILE_FLAG.SET_ACCESSED) |
      (modifiedNs === undefined ? 0 : FILE_FLAG.SET_MODIFIED),
    first: accessedNs ?? 0n,
    second: modifiedNs ?? 0n,
  };
}
