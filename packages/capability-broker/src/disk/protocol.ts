/**
 * @module What the host's thread asks of the file worker and how it answers, as plain data: one
 * table of operations, from which both sides are typed.
 */
import type { FileCondition, FilePage, FileRight, FileStat, FileTimes } from "@glovebox/core/ports";

import type { BrokerErrorCode } from "../errors.ts";
import type { FolderGrant } from "../grant/grant.ts";

/** The directory behind a granted folder: the host's, or a temporary one that a key names. */
export type RootPlace =
  | { readonly kind: "host"; readonly path: string }
  | { readonly kind: "temporary"; readonly key: string };

/** A granted path, ready to be opened. */
export interface PlacedPath {
  readonly root: RootPlace;
  readonly folder: FolderGrant;
  /** Components from the granted folder to the object; empty = the folder itself. */
  readonly components: readonly string[];
  /** A trailing slash: only a directory may be meant. */
  readonly namesDirectory: boolean;
  /** Folders below the granted one that another grant speaks for. */
  readonly shadowed: readonly (readonly string[])[];
}

/** How a file is opened. */
export interface OpenRequest {
  readonly path: PlacedPath;
  readonly rights: readonly FileRight[];
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly followLinks: boolean;
  /** Written aside, and only seen under its name once it is published. */
  readonly aside: boolean;
}

/** What a scanner saw under a name, which must still be so: an open handle, or that it is no file. */
export type Seen = number | "noFile";

/** Every operation with what it takes and answers. */
export interface FileOperations {
  open: { request: OpenRequest; answer: number };
  readAt: { request: { handle: number; offset: number; max: number }; answer: Uint8Array };
  writeAt: { request: { handle: number; offset: number; bytes: Uint8Array }; answer: void };
  truncate: { request: { handle: number; size: number }; answer: void };
  sync: { request: { handle: number }; answer: void };
  handleStat: { request: { handle: number }; answer: FileStat };
  handleTimes: { request: { handle: number; times: FileTimes }; answer: void };
  /** An empty file aside, to be published in place of the one that `handle` has open. */
  substitute: { request: { handle: number }; answer: number };
  publish: { request: { handle: number }; answer: void };
  close: { request: { handle: number }; answer: void };
  stat: { request: { path: PlacedPath; followLinks: boolean }; answer: FileStat };
  setTimes: {
    request: { path: PlacedPath; times: FileTimes; followLinks: boolean };
    answer: void;
  };
  list: {
    request: { path: PlacedPath; cursor: string | undefined; max: number };
    answer: FilePage;
  };
  rename: { request: { from: PlacedPath; to: PlacedPath; seen?: Seen }; answer: void };
  remove: { request: { path: PlacedPath; kind: "file" | "directory" | undefined }; answer: void };
  mkdir: { request: { path: PlacedPath }; answer: void };
  symlink: { request: { target: string; path: PlacedPath }; answer: void };
  readLink: { request: { path: PlacedPath }; answer: string };
  link: { request: { from: PlacedPath; to: PlacedPath; seen?: Seen }; answer: void };
  /** Removes a temporary root with everything in it. */
  dropTemporary: { request: { keys: readonly string[] }; answer: void };
  /** Closes everything and removes what is temporary. */
  shutDown: { request: Readonly<Record<string, never>>; answer: void };
}

/** A name of the table. */
export type FileOperation = keyof FileOperations;

/** One request; in `slot` the host's thread says that nobody waits for it any more; −1 = always done. */
export interface FileRequest<Op extends FileOperation = FileOperation> {
  readonly id: number;
  readonly slot: number;
  readonly op: Op;
  readonly request: FileOperations[Op]["request"];
}

/** What lies below a directory by the worker's count. */
export interface AccountTotals {
  readonly root: RootPlace;
  /** Bytes of regular files. */
  readonly bytes: number;
  /** Files, folders and links. */
  readonly entries: number;
}

/** Its answer, with the accounts that have changed since the last one; absent = none has. */
export type FileReply = { readonly id: number; readonly accounts?: readonly AccountTotals[] } & (
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly error: FileFailure }
);

/** An error as plain data. */
export interface FileFailure {
  readonly code: BrokerErrorCode;
  readonly message: string;
  readonly condition: FileCondition;
}

/** What a worker is started with. */
export interface WorkerSetup {
  /** One number per request in flight; 1 = nobody waits for it. */
  readonly cancelled: Int32Array;
  /** Descriptors that the worker keeps open. */
  readonly kept: Int32Array;
  /** Where koffi is; used without `node:ffi`. */
  readonly koffiEntry: string | undefined;
  /** `openat2` where the system has it, else the walk; or always the walk. */
  readonly opener: "openat2" | "walk";
  /** Where temporary roots are made. */
  readonly temporaryDirectory: string;
  /** Makes ids of objects comparable between workers, and says nothing outside. */
  readonly idKey: Uint8Array;
}
