/**
 * @module Files by guest path, with handles from the start (contract.md 7); whole-file operations and
 * WASI stand on them.
 */
import type { Decision } from "../decision/index.ts";
import type { CallScope } from "./scope.ts";

/** Files by guest path. */
export interface FilePort {
  open(
    scope: CallScope,
    path: string,
    rights: ReadonlySet<FileRight>,
  ): Promise<Decision<FileHandle>>;
  stat(scope: CallScope, path: string): Promise<Decision<FileStat>>;
  list(
    scope: CallScope,
    path: string,
    cursor: string | undefined,
    max: number,
  ): Promise<Decision<FilePage>>;
  rename(scope: CallScope, from: string, to: string): Promise<Decision<void>>;
  remove(scope: CallScope, path: string): Promise<Decision<void>>;
  mkdir(scope: CallScope, path: string): Promise<Decision<void>>;
}

/** An open file; rejects with a coded error once closed or revoked. */
export interface FileHandle extends AsyncDisposable {
  readAt(offset: number, max: number): Promise<Uint8Array>;
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  sync(): Promise<void>;
  stat(): Promise<FileStat>;
  setTimes(accessedMs: number, modifiedMs: number): Promise<void>;
  close(): Promise<void>;
}

/** What may be done with a file; each is a right of its own. */
export type FileRight =
  | "read"
  | "write"
  | "create"
  | "append"
  | "truncate"
  | "delete"
  | "rename"
  | "mkdir"
  | "list"
  | "stat"
  | "setTimes";

/** What is said of a file or folder; times in milliseconds since 1970. */
export interface FileStat {
  readonly kind: "file" | "directory";
  readonly size: number;
  readonly modifiedMs: number;
}

/** One page of names; `cursor` is absent on the last. */
export interface FilePage {
  readonly entries: readonly { readonly name: string; readonly kind: FileStat["kind"] }[];
  readonly cursor?: string;
}
