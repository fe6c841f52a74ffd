/**
 * @module Reads a package from disk: once, bounded, and without following a link. Names are walked
 * one by one from the directory that is held open, so that a folder which is swapped for a link
 * meanwhile leads nowhere (CWE-59, CWE-367). Sizes come from the bytes that were read, never from a
 * promise made before.
 */
import { constants, existsSync } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";

import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_PACKAGE_DEPTH, MAX_PACKAGE_FILES, MAX_TAR_OVERHEAD_BYTES } from "../limits.ts";
import {
  checkPackagePath,
  createPackageBuilder,
  entryRefusal,
  type PackageBuilder,
  type PackageLimits,
  type PluginPackage,
  sizeRefusal,
} from "./plugin-package.ts";
import { readTar } from "./read-tar.ts";

// O_NONBLOCK: opening a FIFO must not wait for its other end.
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK;
const NO_LINK = READ_ONLY | constants.O_NOFOLLOW;
const READ_STEP_BYTES = 1024 * 1024;

/**
 * Reads a directory or a `.tgz`. The path itself is the operator's and may be a link; what it holds
 * is attacker-controlled.
 */
export async function readPackage(
  path: string,
  limits: PackageLimits,
): Promise<Decision<PluginPackage>> {
  let root: FileHandle | undefined;
  try {
    root = await open(path, READ_ONLY);
    const stat = await root.stat();
    if (stat.isDirectory()) {
      const builder = createPackageBuilder(limits);
      const walked = await walk(root, path, "", 0, builder, { left: MAX_PACKAGE_FILES });
      return walked.allowed ? allow(walked.rule, await builder.build()) : walked;
    }
    if (!stat.isFile()) return unreadable(path, "is neither a directory nor a file");
    const archive = await readBounded(root, stat.size, limits.maxBytes + MAX_TAR_OVERHEAD_BYTES);
    return archive === undefined
      ? sizeRefusal(`an archive has at most ${limits.maxBytes} bytes`)
      : await readTar(archive, limits);
  } catch (error) {
    return unreadable(path, codeOf(error));
  } finally {
    await root?.close();
  }
}

async function walk(
  directory: FileHandle,
  path: string,
  prefix: string,
  depth: number,
  builder: PackageBuilder,
  entries: { left: number },
): Promise<Decision<void>> {
  if (depth > MAX_PACKAGE_DEPTH) {
    return sizeRefusal(`a package is at most ${MAX_PACKAGE_DEPTH} directories deep`);
  }
  const held = heldPath(directory, path);
  const names = await readdir(held);
  entries.left -= names.length;
  if (entries.left < 0) return sizeRefusal(`a package has at most ${MAX_PACKAGE_FILES} entries`);
  for (const name of names.sort()) {
    const entry = prefix === "" ? name : `${prefix}/${name}`;
    const checked = checkPackagePath(entry);
    if (!checked.allowed) return checked;
    let handle: FileHandle;
    try {
      handle = await open(join(held, name), NO_LINK);
    } catch (error) {
      const code = codeOf(error);
      // ELOOP: a link; ENXIO: a socket or a device without a driver.
      if (code === "ELOOP" || code === "ENXIO") {
        return entryRefusal("a package holds regular files, no links and no devices", entry);
      }
      return unreadable(join(path, name), code);
    }
    try {
      const added = await addEntry(handle, join(path, name), entry, depth, builder, entries);
      if (!added.allowed) return added;
    } finally {
      await handle.close();
    }
  }
  return allow("package.entries", undefined);
}

async function addEntry(
  handle: FileHandle,
  path: string,
  entry: string,
  depth: number,
  builder: PackageBuilder,
  entries: { left: number },
): Promise<Decision<void>> {
  const stat = await handle.stat();
  if (stat.isDirectory()) return walk(handle, path, entry, depth + 1, builder, entries);
  if (!stat.isFile()) return entryRefusal("a package holds regular files only", entry);
  const bytes = await readBounded(handle, stat.size, builder.remainingBytes);
  return bytes === undefined
    ? sizeRefusal(`the file ${received(entry)} is beyond what the package may have in bytes`)
    : builder.add(entry, bytes);
}

/** Leads to the directory that is open, whatever its name means by now; elsewhere, to its name. */
function heldPath({ fd }: FileHandle, path: string): string {
  return process.platform === "linux" && existsSync("/proc/self/fd") ? `/proc/self/fd/${fd}` : path;
}

/**
 * All bytes of a file; `undefined` when there are more than `max`, also if it grows meanwhile. The size
 * that it is said to have decides only how much memory is asked for at first: gathering pieces of a
 * large file would hold up the event loop.
 */
async function readBounded(
  handle: FileHandle,
  promised: number,
  max: number,
): Promise<Uint8Array | undefined> {
  let bytes = new Uint8Array(Math.min(promised, max) + 1);
  for (let size = 0; ;) {
    const room = Math.min(bytes.length - size, READ_STEP_BYTES);
    const { bytesRead } = await handle.read(bytes, size, room, null);
    if (bytesRead === 0)
      return size * 2 < bytes.length ? bytes.slice(0, size) : bytes.subarray(0, size);
    size += bytesRead;
    if (size > max) return undefined;
    if (size === bytes.length) bytes = larger(bytes, max + 1);
  }
}

function larger(bytes: Uint8Array, max: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(Math.min(max, Math.max(READ_STEP_BYTES, bytes.length * 2)));
  whole.set(bytes);
  return whole;
}

function unreadable(path: string, problem: string): Decision<never> {
  const reason = `the package ${received(path)} cannot be read: ${problem}`;
  return refuse("RUNTIME_PACKAGE_READ", "package.read", reason);
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : String(error);
}
