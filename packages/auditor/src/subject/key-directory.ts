/**
 * @module Small files in a directory of keys: read without following a link, made whole and durable,
 * destroyed by overwriting.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { AuditorError } from "../errors.ts";

const { O_RDONLY, O_RDWR, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC } = constants;
const OWNER_FILE = 0o600;

/**
 * Reads a file; `undefined` if it is not there. They are small and in the kernel's cache: reading one
 * costs less than asking for it and waiting.
 *
 * @throws {@link AuditorError} (`AUDITOR_SUBJECT_KEYS`)
 */
export function readSmallFile(path: string): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return readFileSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw brokenKeys(`${path} cannot be read`, cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Makes a file, which must not exist; its name is not durable yet. */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, OWNER_FILE);
  await handle.writeFile(bytes);
  await handle.sync();
}

/** As {@link replaceFile}, and its name is durable, too. */
export async function putFile(path: string, bytes: Uint8Array): Promise<void> {
  await replaceFile(path, bytes);
  await syncDirectory(dirname(path));
}

/** Puts a file in place of another, or of none: after a power cut it is the one or the other, whole. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const aside = `${path}${ASIDE}`;
  {
    const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
    await using handle = await open(aside, flags, OWNER_FILE);
    await handle.writeFile(bytes);
    await handle.sync();
  }
  await rename(aside, path);
}

/** After the name of a file that is being written. */
export const ASIDE = ".tmp";

/** Overwrites a file with random bytes, durably. Answers what it held; `undefined` if it is not there. */
export async function overwriteFile(path: string): Promise<Buffer | undefined> {
  let handle;
  try {
    handle = await open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
    return undefined;
  }
  try {
    const bytes = await handle.readFile();
    await handle.write(randomBytes(bytes.length), 0, bytes.length, 0);
    await handle.sync();
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Removes a file; what is not there is no error. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ignoreMissing);
}

/** Makes a directory of mode 0700. @throws {@link AuditorError} (`AUDITOR_DIRECTORY`) if others can use it */
export async function ownDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode, uid } = await lstat(path);
  const self = process.geteuid?.() ?? uid;
  if ((mode & 0o077) !== 0 || uid !== self || (mode & constants.S_IFMT) !== constants.S_IFDIR) {
    const message = `${path} is not a directory that only its owner can use`;
    throw new AuditorError("AUDITOR_DIRECTORY", { message });
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, O_RDONLY);
  await handle.sync();
}

/** The one error of a store of keys. */
export function brokenKeys(problem: string, cause?: unknown): AuditorError {
  const message = `the keys of persons: ${problem}`;
  return new AuditorError("AUDITOR_SUBJECT_KEYS", { message, cause });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
