/**
 * @module One page of a folder's names, bounded: a folder with a million entries is refused and not
 * read. Hidden names, special files and names that are not granted are left out, and links where
 * the grant has no right to them.
 */
import { type StatsBase, lstatSync } from "node:fs";

import type { FilePage, FileStat } from "@glovebox/core/ports";

import { isNameGranted } from "../grant/file-policy.ts";
import type { FolderGrant } from "../grant/grant.ts";
import { MAX_FOLDER_ENTRIES, MAX_PAGE_ENTRIES } from "../limits.ts";
import { isAskable } from "../target/guest-path.ts";
import { fileError } from "./condition.ts";
import type { Describe } from "./describe.ts";
import { type Descriptor, unlessMissing } from "./descriptor.ts";
import { namesIn } from "./tree.ts";

/** Names after `cursor` in code-unit order; the cursor is the last name of the page before. */
export function listFolder(
  folder: Descriptor,
  grant: FolderGrant,
  cursor: string | undefined,
  max: number,
  { isCancelled, describe }: { readonly isCancelled: () => boolean; readonly describe: Describe },
): FilePage {
  if (!Number.isSafeInteger(max) || max < 1)
    throw fileError("BROKER_FILE_RANGE", "a page holds at least one entry");
  const visible: string[] = [];
  let entries = 0;
  for (const name of namesIn(folder)) {
    if (++entries > MAX_FOLDER_ENTRIES) {
      throw fileError("BROKER_FILE_QUOTA", `more than ${MAX_FOLDER_ENTRIES} entries in the folder`);
    }
    if (isCancelled()) throw fileError("BROKER_CANCELLED");
    if ((cursor === undefined || name > cursor) && isAskable(name, grant.allowHidden))
      visible.push(name);
  }
  visible.sort();
  return pageOf(visible, Math.min(max, MAX_PAGE_ENTRIES), (name) => {
    const stats = unlessMissing(() => lstatSync(folder.inside(name), { bigint: true }));
    const kind = stats && kindOf(stats, name, grant);
    return stats && kind && { name, kind, id: describe(stats).id };
  });
}

/** The first names that are shown; only as many are looked at as the page needs. */
function pageOf(
  names: readonly string[],
  size: number,
  entryOf: (name: string) => FilePage["entries"][number] | undefined,
): FilePage {
  const entries: FilePage["entries"][number][] = [];
  for (const name of names) {
    const entry = entryOf(name);
    if (entry === undefined) continue;
    const last = entries.at(-1);
    if (entries.length === size && last !== undefined) return { entries, cursor: last.name };
    entries.push(entry);
  }
  return { entries };
}

function kindOf(
  stats: StatsBase<bigint>,
  name: string,
  grant: FolderGrant,
): FileStat["kind"] | undefined {
  if (stats.isDirectory()) return "directory";
  if (stats.isFile()) return isNameGranted(grant, name) ? "file" : undefined;
  return stats.isSymbolicLink() && grant.rights.includes("link") ? "link" : undefined;
}
