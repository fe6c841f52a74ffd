/**
 * @module Files by guest path, with handles from the start (contract.md 7); whole-file operations and
 * WASI stand on them.
 */
import type { Allowed, Refusal } from "../decision/index.ts";
import type { CallScope } from "./scope.ts";

/** Files by guest path. Paths are absolute guest paths; each one is attacker-controlled. */
export interface FilePort {
  /** The guest folders that the grant opens, in the order of the request; WASI's preopened directories. */
  readonly folders: readonly string[];
  open(
    scope: CallScope,
    path: string,
    rights: ReadonlySet<FileRight>,
    options?: FileOpenOptions,
  ): Promise<FileDecision<FileHandle>>;
  stat(scope: CallScope, path: string, options?: LinkOptions): Promise<FileDecision<FileStat>>;
  setTimes(
    scope: CallScope,
    path: string,
    times: FileTimes,
    options?: LinkOptions,
  ): Promise<FileDecision<void>>;
  list(
    scope: CallScope,
    path: string,
    cursor: string | undefined,
    max: number,
  ): Promise<FileDecision<FilePage>>;
  rename(scope: CallScope, from: string, to: string): Promise<FileDecision<void>>;
  /** Removes a name: a file or link, or an empty folder, as `kind` says; without it whichever is there. */
  remove(scope: CallScope, path: string, kind?: "file" | "directory"): Promise<FileDecision<void>>;
  mkdir(scope: CallScope, path: string): Promise<FileDecision<void>>;
  /** Makes a symbolic link (right `link`). The target is kept as given and checked at each use. */
  symlink(scope: CallScope, target: string, path: string): Promise<FileDecision<void>>;
  /** What a symbolic link holds (right `link`). */
  readLink(scope: CallScope, path: string): Promise<FileDecision<string>>;
  /** A second name for a file inside the same granted folder (right `link`). */
  link(scope: CallScope, from: string, to: string): Promise<FileDecision<void>>;
}

/** A decision whose refusal also speaks POSIX, so that callers need not know the broker's codes. */
export type FileDecision<T> = Allowed<T> | FileRefusal;

/** A refusal with its condition. */
export interface FileRefusal extends Refusal {
  readonly condition: FileCondition;
}

/** Why a file operation failed: names of IEEE Std 1003.1-2024, errno.h. */
export type FileCondition =
  | ("EACCES" | "EBADF" | "EBUSY" | "ECANCELED" | "EDQUOT" | "EEXIST" | "EFBIG" | "EINVAL")
  | ("EIO" | "EISDIR" | "ELOOP" | "EMFILE" | "EMLINK" | "ENAMETOOLONG" | "ENOENT" | "ENOSPC")
  | ("ENOTDIR" | "ENOTEMPTY" | "ENOTSUP" | "EPERM" | "EROFS" | "EXDEV");

/** How a file is opened. */
export interface FileOpenOptions extends LinkOptions {
  /** With the right `create`: refuse when the name is there already. Default: false. */
  readonly exclusive?: boolean;
  /** Cut to nothing at opening, which needs the right `truncate`. Default: false. */
  readonly truncate?: boolean;
  /** Written aside; `close` gives it its name, at once and whole, and nothing else does. Default: false. */
  readonly atomic?: boolean;
}

/** What happens to a symbolic link at the end of a path. */
export interface LinkOptions {
  /** Follow it, which needs the right `link`. Default: true. */
  readonly followLinks?: boolean;
}

/** Times in milliseconds since 1970; an absent one stays as it is. */
export interface FileTimes {
  readonly accessedMs?: number;
  readonly modifiedMs?: number;
  /** The same to the nanosecond, for a file system that can keep it. */
  readonly exactNs?: { readonly accessed?: bigint; readonly modified?: bigint };
}

/** An open file; rejects with a coded error once closed or revoked, whose `details.condition` is a {@link FileCondition}. */
export interface FileHandle extends AsyncDisposable {
  readAt(offset: number, max: number): Promise<Uint8Array>;
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  sync(): Promise<void>;
  stat(): Promise<FileStat>;
  setTimes(times: FileTimes): Promise<void>;
  close(): Promise<void>;
}

/** What may be done with a file; each is a right of its own. */
export type FileRight =
  | ("read" | "write" | "create" | "append" | "truncate" | "setTimes")
  | ("list" | "stat" | "delete" | "rename" | "mkdir" | "link");

/** What is said of an object; times in milliseconds since 1970, with fractions. */
export interface FileStat {
  readonly kind: "file" | "directory" | "link";
  readonly size: number;
  readonly accessedMs: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  /** The same to the nanosecond, where the file system says: milliseconds keep a quarter of a microsecond. */
  readonly exactNs?: {
    readonly accessed: bigint;
    readonly modified: bigint;
    readonly changed: bigint;
  };
  /** The same for two names of one object; says nothing else about it. */
  readonly id: bigint;
  /** Names that the object has. */
  readonly links: number;
}

/** One page of names; `cursor` is absent on the last. */
export interface FilePage {
  readonly entries: readonly {
    readonly name: string;
    readonly kind: FileStat["kind"];
    /** As {@link FileStat}'s, where a listing says it. */
    readonly id?: bigint;
  }[];
  readonly cursor?: string;
}
