/**
 * @module The key that wraps all others, and its rotation: every key is wrapped anew, one file after
 * the other, each replaced as a whole. A process that ends in between leaves some under the old key
 * and some under the new one, both of which are still there. Then the old one
 * is destroyed, and with it whatever old blocks of a disk and old backups hold under it.
 *
 * The names under which persons are found are HMACs under a key of their own, `names.key`, which is
 * wrapped as the others are: names cannot be computed anew, because nobody knows of whom they are. It
 * is wrapped last, and shows when a store is opened that the wrapping key is the right one.
 */
import { randomBytes } from "node:crypto";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";

import {
  ASIDE,
  brokenKeys,
  overwriteFile,
  putFile,
  readSmallFile,
  replaceFile,
  removeFile,
  syncDirectory,
} from "./key-directory.ts";
import { KEY_BYTES, type NamedKey, unwrapKey, wrapKey } from "./wrapped-key.ts";

/** The folder of wrapped keys in a store. */
export const KEYS = "keys";
/** After the pseudonym of a key that is out of use. */
export const CONDEMNED = ".condemned";

const WRAPPING_KEY_FILE = "wrapping.key";
/** The next one, until everything is under it. */
const NEXT_KEY_FILE = "wrapping.next";
const NAMES_FILE = "names.key";
const NAMES = "names";
const NO_NAME: string = Buffer.alloc(32).toString("base64url");

/** The wrapping keys of a store: the first wraps, all unwrap. */
export interface WrappingKeys {
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
  /** Whether they lie in the store's directory. */
  readonly isOwn: boolean;
}

/**
 * The wrapping keys of a directory, made when there is none; or the given one.
 *
 * @throws {@link AuditorError} (`AUDITOR_SUBJECT_KEYS`)
 */
export async function openWrappingKeys(
  directory: string,
  given: Uint8Array | undefined,
): Promise<WrappingKeys> {
  if (given !== undefined) return { keys: [checked(given)], isOwn: false };
  const path = join(directory, WRAPPING_KEY_FILE);
  if (readSmallFile(path) === undefined) await putFile(path, randomBytes(KEY_BYTES));
  const current = checked(readSmallFile(path) ?? new Uint8Array());
  const next = readSmallFile(join(directory, NEXT_KEY_FILE));
  return { keys: next === undefined ? [current] : [checked(next), current], isOwn: true };
}

/** The key of names, made when there is none. @throws {@link AuditorError} (`AUDITOR_SUBJECT_KEYS`) */
export async function openNamesKey(directory: string, { keys }: WrappingKeys): Promise<Buffer> {
  const path = join(directory, NAMES_FILE);
  const bytes = readSmallFile(path);
  if (bytes !== undefined) {
    const opened = unwrapKey(NAMES, bytes, keys);
    if (opened === undefined) throw brokenKeys("the wrapping key is not the one of this directory");
    return opened.key;
  }
  // Another one would find nobody who is known.
  if ((await readdir(join(directory, KEYS))).length > 0) throw brokenKeys(`${path} is gone`);
  const key = randomBytes(KEY_BYTES);
  await putFile(path, wrapKey(NAMES, { key, name: NO_NAME }, keys[0]));
  return key;
}

/**
 * The wrapping key to rotate to: the given one, or one that lies beside the old one from now on.
 *
 * @throws {@link AuditorError} (`AUDITOR_SUBJECT_KEYS`)
 */
export async function nextWrappingKey(
  directory: string,
  isOwn: boolean,
  given: Uint8Array | undefined,
): Promise<Uint8Array> {
  if (given !== undefined) return checked(given);
  if (!isOwn) throw brokenKeys("the wrapping key was given, so that the next one has to be, too");
  const path = join(directory, NEXT_KEY_FILE);
  if (readSmallFile(path) === undefined) await putFile(path, randomBytes(KEY_BYTES));
  return checked(readSmallFile(path) ?? new Uint8Array());
}

/**
 * Wraps what a directory holds under `to`, whichever of the keys it is under; answers how many keys
 * were. Nothing else may change the directory meanwhile. May be repeated.
 *
 * @throws {@link AuditorError} (`AUDITOR_SUBJECT_KEYS`) for a key that is under none of them
 */
export async function rewrapDirectory(
  directory: string,
  from: readonly Uint8Array[],
  to: Uint8Array,
): Promise<number> {
  const folder = join(directory, KEYS);
  let count = 0;
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    if (file.endsWith(ASIDE)) await removeFile(path);
    else if (await rewrapFile(path, file.replace(CONDEMNED, ""), from, to)) count += 1;
  }
  await syncDirectory(folder);
  await rewrapFile(join(directory, NAMES_FILE), NAMES, from, to);
  await syncDirectory(directory);
  return count;
}

/** Whether it was under another. */
async function rewrapFile(
  path: string,
  subject: string,
  from: readonly Uint8Array[],
  to: Uint8Array,
): Promise<boolean> {
  const bytes = readSmallFile(path);
  if (bytes === undefined) throw brokenKeys(`${path} is gone`);
  if (unwrapKey(subject, bytes, [to]) !== undefined) return false;
  const found: NamedKey | undefined = unwrapKey(subject, bytes, from);
  if (found === undefined) throw brokenKeys(`${path} cannot be unwrapped`);
  await replaceFile(path, wrapKey(subject, found, to));
  found.key.fill(0);
  return true;
}

/**
 * Destroys the old wrapping key in a directory of which everything is under `to`, and puts that in
 * its place if it belongs there.
 */
export async function retireWrappingKey(
  directory: string,
  to: Uint8Array,
  isOwn: boolean,
): Promise<void> {
  const path = join(directory, WRAPPING_KEY_FILE);
  const next = join(directory, NEXT_KEY_FILE);
  const old = await overwriteFile(path);
  if (!isOwn) {
    await overwriteFile(next);
    for (const file of [path, next]) await removeFile(file);
  } else if (readSmallFile(next) !== undefined) await rename(next, path);
  // A copy of the store that has its wrapping key with it.
  else if (old !== undefined) await putFile(path, to);
  await syncDirectory(directory);
}

function checked(key: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES) throw brokenKeys(`a wrapping key has ${KEY_BYTES} bytes`);
  return key;
}
