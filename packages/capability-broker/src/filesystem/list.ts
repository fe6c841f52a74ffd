/**
 * @module One page of a folder's names, bounded: a folder with a million entries is refused and not
 * read. Hidden names, links, special files and extensions that are not granted are left out.
 */
import type { Dirent } from "node:fs";

import type { FilePage, FileStat } from "@glovebox/core/ports";

import type { FolderGrant } from "../grant/grant.ts";
import { MAX_FOLDER_ENTRIES, MAX_PAGE_ENTRIES } from "../limits.ts";
import { parseRest } from "../target/guest-path.ts";
import { fileError } from "./condition.ts";
import { isExtensionGranted } from "./decide.ts";
import { type Descriptor, calls, rethrowCoded } from "./descriptor.ts";
import { inside } from "./walk.ts";

/** Names after `cursor` in code-unit order; the cursor is the last name of the page before. */
export async function listFolder(
  folder: Descriptor,
  grant: FolderGrant,
  cursor: string | undefined,
  max: number,
): Promise<FilePage> {
  if (!Number.isSafeInteger(max) || max < 1) {
    throw fileError("BROKER_FILE_RANGE", "a page holds at least one entry");
  }
  const visible: { readonly name: string; readonly kind: FileStat["kind"] }[] = [];
  await using names = await calls.opendir(inside(folder, ".")).catch(rethrowCoded);
  let entries = 0;
  for await (const entry of names) {
    if (++entries > MAX_FOLDER_ENTRIES) {
      throw fileError("BROKER_FILE_QUOTA", `more than ${MAX_FOLDER_ENTRIES} entries in the folder`);
    }
    const kind = await kindOf(folder, entry);
    // A name that could not be asked for is not shown either.
    if (
      kind === undefined ||
      !parseRest(entry.name, entry.name).allowed ||
      hasForbiddenCharacter(entry.name)
    )
      continue;
    if (kind === "file" && !isExtensionGranted(grant, entry.name)) continue;
    if (cursor === undefined || entry.name > cursor) visible.push({ name: entry.name, kind });
  }
  visible.sort((left, right) => (left.name < right.name ? -1 : 1));
  const page = visible.slice(0, Math.min(max, MAX_PAGE_ENTRIES));
  const last = page.at(-1);
  return page.length < visible.length && last !== undefined
    ? { entries: page, cursor: last.name }
    : { entries: page };
}

async function kindOf(folder: Descriptor, entry: Dirent): Promise<FileStat["kind"] | undefined> {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  if (
    entry.isSymbolicLink() ||
    entry.isFIFO() ||
    entry.isSocket() ||
    entry.isBlockDevice() ||
    entry.isCharacterDevice()
  ) {
    return undefined;
  }
  // Some file systems do not say the kind in a listing.
  const stats = await calls.lstat(inside(folder, entry.name)).catch(rethrowCoded);
  return stats.isFile() ? "file" : stats.isDirectory() ? "directory" : undefined;
}

function hasForbiddenCharacter(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is left out
  return /[\u0000-\u001f\u007f\\:\ufffd]/.test(name);
}
