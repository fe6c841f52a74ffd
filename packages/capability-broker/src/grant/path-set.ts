/**
 * @module Sets of guest folders with rights. For a path the longest folder speaks, in a set as in a
 * grant; so the meet has at each folder what both sides say there.
 */
import type { FileRight } from "@glovebox/core/ports";

import type { FolderGrant } from "./grant.ts";

/** A guest folder with rights, and the host side where the policy speaks. */
export interface PathEntry {
  readonly guest: string;
  readonly rights: readonly FileRight[];
  /** Absent on a request or an approval, which cannot name host folders. */
  readonly root?: Omit<FolderGrant, "guest" | "below" | "rights"> & { readonly guest: string };
}

/** Whether `outer` is `inner` or a folder above it; both without a trailing slash. */
export function pathContains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
}

/** What both sets allow. A folder without rights stays: it must shadow a wider one above it. */
export function meetPaths(
  left: readonly PathEntry[],
  right: readonly PathEntry[],
): readonly PathEntry[] {
  const guests = new Set([...left, ...right].map(({ guest }) => guest));
  return [...guests].toSorted().flatMap((guest) => {
    const one = speakerFor(left, guest);
    const other = speakerFor(right, guest);
    if (one === undefined || other === undefined) return [];
    const rights = one.rights.filter((right_) => other.rights.includes(right_));
    const root = one.root ?? other.root;
    return [root === undefined ? { guest, rights } : { guest, rights, root }];
  });
}

/** Whether `outer` allows everything that `inner` allows. */
export function pathsContain(outer: readonly PathEntry[], inner: readonly PathEntry[]): boolean {
  const guests = new Set([...outer, ...inner].map(({ guest }) => guest));
  return [...guests].every((guest) => {
    const granted = speakerFor(outer, guest)?.rights ?? [];
    return (speakerFor(inner, guest)?.rights ?? []).every((right) => granted.includes(right));
  });
}

/** The entry of the longest folder at or above a guest path. */
export function speakerFor(entries: readonly PathEntry[], guest: string): PathEntry | undefined {
  let found: PathEntry | undefined;
  for (const entry of entries) {
    if (!pathContains(entry.guest, guest)) continue;
    if (found === undefined || entry.guest.length >= found.guest.length) found = entry;
  }
  return found;
}
