/**
 * @module From a directory that is held open to an object below it, one component at a time through
 * /proc/self/fd, never following a link (CWE-59, CWE-367). A path that is checked and then opened
 * again can be swapped in between; here each step starts at what the step before has opened, and the
 * leaf is opened with O_PATH, which has no side effect: a FIFO does not block, a device does
 * nothing. Only after its kind, link count and device were seen is it opened for use.
 */
import { type Stats, constants } from "node:fs";

import type { FolderGrant } from "../grant/grant.ts";
import { fileError } from "./condition.ts";
import { type Descriptor, calls, openDescriptor, rethrowCoded } from "./descriptor.ts";

/** Linux' O_PATH, which node:fs does not name; the same on every architecture Node.js supports. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_CREAT, O_EXCL, O_NONBLOCK, O_NOCTTY } = constants;

/** An object seen through an O_PATH descriptor. */
export interface SeenObject extends Descriptor {
  readonly stats: Stats;
}

/** Opens a host directory; its last component must not be a link. */
export function openRoot(host: string): Promise<Descriptor> {
  return openDescriptor(host, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

/** A name inside an open directory. */
export function inside(folder: Descriptor, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`;
}

/** Opens the directory that `components` lead to; `.` opens the root once more. */
export async function openFolder(
  root: Descriptor,
  device: number,
  components: readonly string[],
): Promise<Descriptor> {
  let current = await openDescriptor(inside(root, "."), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  for (const name of components) {
    const parent = current;
    try {
      current = await openDescriptor(inside(parent, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    } finally {
      await parent[Symbol.asyncDispose]();
    }
    if ((await calls.fstat(current.fd)).dev !== device) {
      await current[Symbol.asyncDispose]();
      throw fileError("BROKER_FILE_KIND", "the folder is on another file system");
    }
  }
  return current;
}

/** Looks at a name without following or using it; links, special files and shared inodes are refused. */
export async function openSeen(
  folder: Descriptor,
  device: number,
  name: string,
): Promise<SeenObject> {
  const seen = await openDescriptor(inside(folder, name), O_PATH | O_NOFOLLOW);
  try {
    const stats = await calls.fstat(seen.fd);
    assertServable(stats, device);
    return { ...seen, stats };
  } catch (error) {
    await seen[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens a regular file for use through the descriptor that it was seen with: the same inode. */
export async function openFile(
  seen: SeenObject,
  folder: FolderGrant,
  flags: number,
): Promise<number> {
  if (!seen.stats.isFile()) throw fileError("BROKER_FILE_KIND", "not a regular file");
  if (seen.stats.size > folder.maxFileBytes) {
    throw fileError("BROKER_FILE_SIZE", `${seen.stats.size} bytes; at most ${folder.maxFileBytes}`);
  }
  return calls.open(`/proc/self/fd/${seen.fd}`, flags | O_NONBLOCK | O_NOCTTY).catch(rethrowCoded);
}

/** Creates a file that did not exist: O_EXCL follows no link, and the mode has no special bits. */
export function createFile(folder: Descriptor, name: string, flags: number): Promise<number> {
  return calls
    .open(inside(folder, name), flags | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    .catch(rethrowCoded);
}

function assertServable(stats: Stats, device: number): void {
  const problem =
    !stats.isFile() && !stats.isDirectory()
      ? "a link or a special file"
      : stats.isFile() && stats.nlink !== 1
        ? `a file with ${stats.nlink} links`
        : stats.dev !== device
          ? "on another file system"
          : undefined;
  if (problem !== undefined) throw fileError("BROKER_FILE_KIND", `the object is ${problem}`);
}
