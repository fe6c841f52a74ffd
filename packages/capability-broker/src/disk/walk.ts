/**
 * @module From a directory that is held open to an object below it, never following a link (CWE-59,
 * CWE-367), in two ways with the same result. A path that is checked and then opened again can be
 * swapped in between; here each step starts at what the step before has opened. Objects are opened
 * with O_PATH first, which has no side effect: a FIFO does not block, a device does nothing. Only
 * openat2 opens for reading at once, for speed (bench: file_openat2_vs_fs).
 */
import { type Stats, closeSync, constants, fstatSync, openSync } from "node:fs";

import { type FileCalls, O_PATH } from "@glovebox/linux/files";

import { MAX_RACED_OPENS } from "../limits.ts";
import { fileError } from "./condition.ts";
import { Descriptor, errnoOf } from "./descriptor.ts";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const FOLDER_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW;
const OBJECT_FLAGS = O_PATH | O_NOFOLLOW;
const READABLE_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/** A directory that everything is opened below. */
export interface OpenRoot {
  readonly fd: number;
  readonly device: number;
}

/** Opens what lies below a root; a link anywhere but at the end is an error, there it is opened itself. */
export interface Opener {
  readonly name: "openat2" | "walk";
  folder(root: OpenRoot, components: readonly string[]): Descriptor;
  object(root: OpenRoot, components: readonly string[]): Descriptor;
  /**
   * Opens for reading at once, where that cannot wait and follows no link at the end either. What was
   * opened must be looked at before a byte is read: it may be a FIFO or a device.
   */
  readable?(root: OpenRoot, components: readonly string[]): number;
}

/** Component by component through /proc/self/fd, on every Linux. */
export const walkOpener: Opener = {
  name: "walk",
  folder: walkToFolder,
  object(root, components) {
    const last = components.length - 1;
    if (last < 0) return new Descriptor(walk(root, components, 0));
    const parent = last === 0 ? root.fd : walk(root, components, last);
    try {
      return new Descriptor(openSync(`/proc/self/fd/${parent}/${components[last]}`, OBJECT_FLAGS));
    } finally {
      if (parent !== root.fd) closeSync(parent);
    }
  },
};

/** One openat2(2) for the whole path: Linux 5.6 and newer, through node:ffi or koffi. */
export function openat2Opener(calls: FileCalls): Opener {
  const open = (root: OpenRoot, components: readonly string[], flags: number): number => {
    const path = components.length === 0 ? "." : components.join("/");
    for (let tries = 1; ; tries += 1) {
      try {
        return calls.openBeneath(root.fd, path, flags);
      } catch (error) {
        // The kernel could not judge because something was renamed at that moment.
        if (errnoOf(error) !== "EAGAIN" || tries >= MAX_RACED_OPENS) throw error;
      }
    }
  };
  return {
    name: "openat2",
    folder: (root, components) => new Descriptor(open(root, components, FOLDER_FLAGS)),
    object: (root, components) => new Descriptor(open(root, components, OBJECT_FLAGS)),
    readable: (root, components) => open(root, components, READABLE_FLAGS),
  };
}

/** The fastest opener that works here: a container's seccomp filter may forbid openat2. */
export function chooseOpener(calls: FileCalls | undefined, wanted: Opener["name"]): Opener {
  if (calls === undefined || wanted === "walk") return walkOpener;
  const opener = openat2Opener(calls);
  try {
    using root = openRoot("/");
    opener.folder({ fd: root.fd, device: fstatSync(root.fd).dev }, [])[Symbol.dispose]();
    return opener;
  } catch {
    return walkOpener;
  }
}

/** Opens a host directory; its last component must not be a link. */
export function openRoot(host: string): Descriptor {
  return new Descriptor(openSync(host, FOLDER_FLAGS));
}

/**
 * What may be used of an object: a regular file whose every name is known, or a folder.
 *
 * @throws {@link BrokerError} (`BROKER_FILE_KIND`)
 */
export function assertServable(
  stats: Stats,
  root: OpenRoot,
  namesInside: (stats: Stats) => number,
): void {
  assertOnDevice(stats, root);
  if (stats.isDirectory()) return;
  if (stats.isSymbolicLink()) throw fileError("BROKER_FILE_KIND", "the object is a link", "ELOOP");
  if (!stats.isFile())
    throw fileError("BROKER_FILE_KIND", "the object is a special file", "ENOTSUP");
  assertNamesInside(stats, namesInside);
}

/**
 * What may be changed about a link, where links are granted: nothing while a name of it is outside.
 *
 * @throws {@link BrokerError} (`BROKER_FILE_KIND`)
 */
export function assertLinkServable(
  stats: Stats,
  root: OpenRoot,
  namesInside: (stats: Stats) => number,
): void {
  assertOnDevice(stats, root);
  assertNamesInside(stats, namesInside);
}

function assertOnDevice(stats: Stats, root: OpenRoot): void {
  if (stats.dev !== root.device)
    throw fileError("BROKER_FILE_KIND", "the object is on another file system", "EXDEV");
}

/** A second name may be outside, where whoever wrote it holds other rights. */
function assertNamesInside(stats: Stats, namesInside: (stats: Stats) => number): void {
  if (stats.nlink !== 1 && stats.nlink !== namesInside(stats))
    throw fileError("BROKER_FILE_KIND", `the object has ${stats.nlink} links`, "EPERM");
}

/** A directory after `count` components. What it holds is asked for its device again when it is used. */
function walk(root: OpenRoot, components: readonly string[], count: number): number {
  if (count === 0) return openSync(`/proc/self/fd/${root.fd}/.`, FOLDER_FLAGS);
  let current = root.fd;
  for (let at = 0; at < count; at += 1) {
    const parent = current;
    try {
      current = openSync(`/proc/self/fd/${parent}/${components[at]}`, FOLDER_FLAGS);
    } finally {
      if (parent !== root.fd) closeSync(parent);
    }
  }
  return current;
}

/** A directory in which something will be made, moved or listed must be on the root's file system. */
function walkToFolder(root: OpenRoot, components: readonly string[]): Descriptor {
  const fd = walk(root, components, components.length);
  if (fstatSync(fd).dev === root.device) return new Descriptor(fd);
  closeSync(fd);
  throw fileError("BROKER_FILE_KIND", "the folder is on another file system", "EXDEV");
}
