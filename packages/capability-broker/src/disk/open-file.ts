/**
 * @module An open file in the worker: found without following links, checked on the opened object,
 * and only then opened for use.
 */
import {
  type Stats,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";

import type { FileRight } from "@glovebox/core/ports";

import { isNameGranted } from "../grant/file-policy.ts";
import type { FolderGrant } from "../grant/grant.ts";
import { SMALL_READ_BYTES } from "../limits.ts";
import { fileError } from "./condition.ts";
import { unlessMissing } from "./descriptor.ts";
import { withoutLinks } from "./links.ts";
import type { OpenRequest, PlacedPath } from "./protocol.ts";
import type { HostRoot } from "./roots.ts";
import { type Opener, assertServable } from "./walk.ts";

/** A file that a handle stands for. */
export interface OpenFile {
  readonly fd: number;
  readonly inode: number;
  readonly folder: FolderGrant;
  readonly root: HostRoot;
  readonly rights: readonly FileRight[];
  /** Where it is written aside, and what it is published as. */
  readonly aside?: { readonly path: readonly string[]; readonly target: AsideTarget };
}

/** The name that a file gets which was written aside. */
export interface AsideTarget {
  readonly components: readonly string[];
  /** Only if nothing has it. */
  readonly exclusive: boolean;
}

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
const { O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const WRITING: ReadonlySet<FileRight> = new Set(["write", "append", "truncate", "create"]);

/** Where the file that is meant lies below the root; its own name counts, not that of a link to it. */
export function locate(
  opener: Opener,
  root: HostRoot,
  { path, exclusive, followLinks }: OpenRequest,
): readonly string[] {
  // As open(2) with O_EXCL: a link is a name that exists.
  const found = withoutLinks(opener, root, path, followLinks && !exclusive);
  if (!isNameGranted(path.folder, found.at(-1) ?? "")) throw fileError("BROKER_PATH_EXTENSION");
  const { below } = path.folder;
  return below.length === 0 ? found : [...below, ...found];
}

/** Opens or creates a regular file. */
export function openFile(opener: Opener, root: HostRoot, request: OpenRequest): OpenFile {
  const { path, rights, exclusive } = request;
  const { folder } = path;
  const components = locate(opener, root, request);
  const creates = rights.includes("create");
  const { fd, inode } =
    creates && exclusive
      ? createFile(opener, root, folder, components, rights)
      : (unlessMissing(() => openExisting(opener, root, folder, components, flagsOf(rights))) ??
        (creates ? createFile(opener, root, folder, components, rights) : missing()));
  const file = hold({ fd, inode, folder, root, rights });
  if (request.truncate) resize(file, 0);
  return file;
}

/** Closes a file; what was written aside and not published is gone. */
export function closeFile(opener: Opener, file: OpenFile): void {
  const { root, aside } = file;
  if (aside !== undefined) {
    unlessMissing(() => {
      using folder = opener.folder(root, aside.path.slice(0, -1));
      const stats = fstatSync(file.fd);
      unlinkSync(folder.inside(aside.path.at(-1) ?? ""));
      root.account.removed(stats);
    });
  }
  root.kept.delete(file.fd);
  closeSync(file.fd);
  root.account.drop(file.inode);
}

/** The bytes from `offset`, at most `max`, fewer at the end of the file. */
export function readAt(
  { fd, folder }: OpenFile,
  offset: number,
  max: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeOfRead(fd, folder, offset, max));
  let done = 0;
  while (done < bytes.length) {
    const read = readSync(fd, bytes, done, bytes.length - done, offset + done);
    if (read === 0) break;
    done += read;
  }
  return done === bytes.length ? bytes : bytes.slice(0, done);
}

/** A small buffer is cheaper than a look at the size; a large one is only made for what is there. */
function sizeOfRead(fd: number, folder: FolderGrant, offset: number, max: number): number {
  // The file may have grown since it was opened, also by others than this broker.
  if (offset + max <= folder.maxFileBytes && max <= SMALL_READ_BYTES) return max;
  const { size } = fstatSync(fd);
  if (size > folder.maxFileBytes) throw fileError("BROKER_FILE_SIZE", "the file has grown");
  return Math.max(0, Math.min(max, size - offset));
}

/** Writes all bytes; room is taken before. */
export function writeAt(file: OpenFile, offset: number, bytes: Uint8Array): void {
  const appends = !file.rights.includes("write");
  grow(
    file,
    (size) => Math.max(size, offset + bytes.length),
    (size) => {
      if (appends && offset !== size)
        throw fileError("BROKER_FILE_RANGE", `append at ${offset}; the file ends at ${size}`);
      for (let at = 0; at < bytes.length;)
        at += writeSync(file.fd, bytes, at, bytes.length - at, offset + at);
    },
  );
}

/** Cuts or lengthens a file. */
export function resize(file: OpenFile, size: number): void {
  grow(
    file,
    () => size,
    () => ftruncateSync(file.fd, size),
  );
}

/** Changes the size within the quotas; what was taken and not used is given back. */
function grow(file: OpenFile, to: (size: number) => number, act: (size: number) => void): void {
  const { fd, folder, root } = file;
  const before = fstatSync(fd);
  // A removed file no longer counts, so it may not grow; a second name may be outside.
  if (before.nlink === 0 || before.nlink !== namesIn(root, folder)(before))
    throw fileError("BROKER_FILE_KIND", `the file has ${before.nlink} links`, "EPERM");
  const target = to(before.size);
  if (target > folder.maxFileBytes)
    throw fileError("BROKER_FILE_SIZE", `${target} bytes; at most ${folder.maxFileBytes}`);
  const taken = Math.max(0, target - before.size);
  root.account.reserve(folder, taken, 0);
  try {
    act(before.size);
  } finally {
    root.account.release(taken - (fstatSync(fd).size - before.size), 0);
  }
}

/** A regular file that is there, looked at before a byte of it is used. */
export function openExisting(
  opener: Opener,
  root: HostRoot,
  folder: FolderGrant,
  components: readonly string[],
  flags: number,
): OpenedFile {
  if (opener.readable !== undefined && flags === O_RDONLY) {
    const fd = opener.readable(root, components);
    try {
      const stats = fstatSync(fd);
      assertOpenable(stats, root, folder);
      return { fd, inode: stats.ino };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
  const seen = opener.object(root, components);
  try {
    const stats = fstatSync(seen.fd);
    assertOpenable(stats, root, folder);
    // The same inode that was looked at, whatever has its name by now.
    return { fd: openSync(seen.itself, flags | O_NONBLOCK | O_NOCTTY), inode: stats.ino };
  } finally {
    closeSync(seen.fd);
  }
}

/** A descriptor and what it is of. */
interface OpenedFile {
  readonly fd: number;
  readonly inode: number;
}

function assertOpenable(stats: Stats, root: HostRoot, folder: FolderGrant): void {
  assertServable(stats, root, namesIn(root, folder));
  if (!stats.isFile()) throw fileError("BROKER_FILE_KIND", "not a regular file", "EISDIR");
  if (stats.size > folder.maxFileBytes)
    throw fileError("BROKER_FILE_SIZE", `${stats.size} bytes; at most ${folder.maxFileBytes}`);
}

/** O_EXCL follows no link, and the mode has no special bits. */
function createFile(
  opener: Opener,
  root: HostRoot,
  folder: FolderGrant,
  components: readonly string[],
  rights: readonly FileRight[],
): OpenedFile {
  using parent = opener.folder(root, components.slice(0, -1));
  root.account.reserve(folder, 0, 1);
  try {
    const flags = flagsOf(rights) | O_CREAT | O_EXCL | O_NOFOLLOW;
    const fd = openSync(parent.inside(components.at(-1) ?? ""), flags, 0o600);
    return { fd, inode: fstatSync(fd).ino };
  } catch (error) {
    root.account.release(0, 1);
    throw error;
  }
}

/** From now on the account knows that the file is open. */
export function hold(file: OpenFile): OpenFile {
  file.root.kept.add(file.fd);
  file.root.account.hold(file.inode);
  return file;
}

/** Only where links are granted can a file have a second name that is known. */
export function namesIn(root: HostRoot, folder: PlacedPath["folder"]) {
  return (stats: Parameters<HostRoot["account"]["namesOf"]>[0]): number =>
    folder.rights.includes("link") ? root.account.namesOf(stats) : 1;
}

/** Throws `BROKER_FILE_NOT_FOUND`. */
export function missing(): never {
  throw fileError("BROKER_FILE_NOT_FOUND");
}

/** Open flags for the rights. */
function flagsOf(rights: readonly FileRight[]): number {
  if (!rights.some((right) => WRITING.has(right))) return O_RDONLY;
  const appendOnly = rights.includes("append") && !rights.includes("write");
  return (rights.includes("read") ? O_RDWR : O_WRONLY) | (appendOnly ? O_APPEND : 0);
}
