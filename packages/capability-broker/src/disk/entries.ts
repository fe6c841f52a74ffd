/**
 * @module What is done with names: describe, list, make, move and remove them. The folder that holds
 * a name is open for as long as that takes, so that nothing outside can be meant; what the name
 * stands for is looked at before it is touched.
 */
import {
  type BigIntStats,
  type Stats,
  fstatSync,
  linkSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";

import type { FilePage, FileTimes } from "@glovebox/core/ports";

import { isNameGranted } from "../grant/file-policy.ts";
import { fileError } from "./condition.ts";
import type { Describe } from "./describe.ts";
import { type Descriptor, unlessMissing } from "./descriptor.ts";
import { componentsOf, withoutLinks } from "./links.ts";
import { listFolder } from "./list.ts";
import { namesIn } from "./open-file.ts";
import type { PlacedPath } from "./protocol.ts";
import type { HostRoot, Roots } from "./roots.ts";
import type { SetTimes } from "./times.ts";
import { visitBelow } from "./tree.ts";
import { type Opener, assertLinkServable, assertServable } from "./walk.ts";

/** What the operations work with. */
export interface DiskContext {
  readonly opener: Opener;
  readonly roots: Roots;
  readonly setTimes: SetTimes;
  readonly isCancelled: () => boolean;
}

/** A name in its folder, which is open. */
class Place implements Disposable {
  readonly path: PlacedPath;
  readonly root: HostRoot;
  /** From the granted folder. */
  readonly components: readonly string[];
  readonly folder: Descriptor;
  readonly name: string;
  readonly #opener: Opener;

  constructor({ opener, roots }: DiskContext, path: PlacedPath, followLast: boolean) {
    this.#opener = opener;
    this.path = path;
    this.root = roots.rootOf(path.root);
    this.components = withoutLinks(opener, this.root, path, followLast);
    this.folder = opener.folder(this.root, this.whole.slice(0, -1));
    // The root itself is `.` inside its own descriptor.
    this.name = this.whole.at(-1) ?? ".";
  }

  /** Components from the root. */
  get whole(): readonly string[] {
    return [...this.path.folder.below, ...this.components];
  }

  get file(): string {
    return this.folder.inside(this.name);
  }

  /** The object, when it may be used: a granted file, a folder, a link where links are granted. */
  look(): Looked {
    const seen = this.#opener.object(this.root, this.whole);
    try {
      const stats = fstatSync(seen.fd);
      this.assertGranted(stats);
      return { seen, stats, [Symbol.dispose]: () => seen[Symbol.dispose]() };
    } catch (error) {
      seen[Symbol.dispose]();
      throw error;
    }
  }

  assertGranted(stats: Stats): void {
    const { folder, namesDirectory } = this.path;
    if (stats.isSymbolicLink() && folder.rights.includes("link")) return;
    assertServable(stats, this.root, namesIn(this.root, folder));
    if (!stats.isFile()) return;
    if (namesDirectory)
      throw fileError(
        "BROKER_FILE_KIND",
        "a trailing slash names a folder, this is a file",
        "ENOTDIR",
      );
    if (!isNameGranted(folder, this.name)) throw fileError("BROKER_PATH_EXTENSION");
  }

  /** As {@link assertGranted}, for what is changed about the object itself and not about a name. */
  assertChangeable(stats: Stats): void {
    if (stats.isSymbolicLink())
      assertLinkServable(stats, this.root, namesIn(this.root, this.path.folder));
  }

  /** Moving or removing a folder would take along what another grant speaks for. */
  assertMovable(): void {
    if (this.components.length === 0)
      throw fileError("BROKER_FILE_KIND", "the granted folder itself", "EBUSY");
    if (this.path.shadowed.some((other) => this.components.every((part, at) => other[at] === part)))
      throw fileError("BROKER_RIGHT_NOT_GRANTED", "the folder holds another granted folder");
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

/** The file that a scanner has looked at, or that there was none; `undefined` without a scanner. */
export type SeenInode = number | "noFile" | undefined;

interface Looked extends Disposable {
  readonly seen: Descriptor;
  readonly stats: Stats;
}

/** Stats of an object. */
export function statEntry(
  context: DiskContext,
  path: PlacedPath,
  followLinks: boolean,
): BigIntStats {
  using place = new Place(context, path, followLinks);
  using looked = place.look();
  return fstatSync(looked.seen.fd, { bigint: true });
}

/** Sets the times of a file, a folder or, when it is not followed, a link itself. */
export function setTimesOf(
  context: DiskContext,
  path: PlacedPath,
  times: FileTimes,
  followLinks: boolean,
): void {
  using place = new Place(context, path, followLinks);
  using looked = place.look();
  place.assertChangeable(looked.stats);
  context.setTimes(looked.seen.fd, times);
}

/** One page of a folder. */
export function listEntries(
  context: DiskContext,
  path: PlacedPath,
  cursor: string | undefined,
  max: number,
  describe: Describe,
): FilePage {
  const { opener, roots, isCancelled } = context;
  const root = roots.rootOf(path.root);
  const components = withoutLinks(opener, root, path, true);
  using folder = opener.folder(root, [...path.folder.below, ...components]);
  return listFolder(folder, path.folder, cursor, max, { isCancelled, describe });
}

/** Makes a folder that only the host's user can enter. */
export function makeFolder(context: DiskContext, path: PlacedPath): void {
  using place = new Place(context, path, false);
  counted(place, () => mkdirSync(place.file, 0o700));
}

/** Removes a file, a link or an empty folder. */
export function removeEntry(
  context: DiskContext,
  path: PlacedPath,
  kind: "file" | "directory" | undefined,
): void {
  using place = new Place(context, path, false);
  place.assertMovable();
  using looked = place.look();
  const isFolder = looked.stats.isDirectory();
  if (kind === "file" && isFolder) throw fileError("BROKER_FILE_KIND", "a folder", "EISDIR");
  if (kind === "directory" && !isFolder)
    throw fileError("BROKER_FILE_KIND", "no folder", "ENOTDIR");
  if (isFolder) rmdirSync(place.file);
  else unlinkSync(place.file);
  place.root.account.removed(looked.stats);
}

/** Moves a name inside one root; a file under the new name must be granted too. */
export function renameEntry(
  context: DiskContext,
  from: PlacedPath,
  to: PlacedPath,
  seen: SeenInode,
): void {
  using source = new Place(context, from, false);
  using target = new Place(context, to, false);
  source.assertMovable();
  target.assertMovable();
  using moved = source.look();
  assertSame(moved.stats, seen);
  if (moved.stats.isFile()) target.assertGranted(moved.stats);
  if (moved.stats.isSymbolicLink()) assertLinkStays(target, readlinkSync(source.file));
  if (moved.stats.isDirectory()) assertDepth(context, source, target);
  const replaced = unlessMissing(() => target.look());
  try {
    renameSync(source.file, target.file);
    if (replaced !== undefined && replaced.stats.ino !== moved.stats.ino)
      target.root.account.removed(replaced.stats);
  } finally {
    replaced?.[Symbol.dispose]();
  }
}

/** Makes a link whose target stays inside; where it leads is asked again whenever it is followed. */
export function makeLink(context: DiskContext, target: string, path: PlacedPath): void {
  using place = new Place(context, path, false);
  assertLinkStays(place, target);
  counted(place, () => symlinkSync(target, place.file));
}

/** What a link holds. */
export function readLink(context: DiskContext, path: PlacedPath): string {
  using place = new Place(context, path, false);
  using looked = place.look();
  if (!looked.stats.isSymbolicLink())
    throw fileError("BROKER_FILE_KIND", "the object is no link", "EINVAL");
  return readlinkSync(place.file);
}

/** Gives a file or a link a second name inside the same granted folder. */
export function linkEntry(
  context: DiskContext,
  from: PlacedPath,
  to: PlacedPath,
  seen: SeenInode,
): void {
  using source = new Place(context, from, false);
  using target = new Place(context, to, false);
  using file = source.look();
  assertSame(file.stats, seen);
  if (file.stats.isDirectory())
    throw fileError("BROKER_FILE_KIND", "folders have no second names", "EPERM");
  source.assertChangeable(file.stats);
  target.assertGranted(file.stats);
  if (file.stats.isSymbolicLink()) assertLinkStays(target, readlinkSync(source.file));
  const { account } = source.root;
  const names = account.namesOf(file.stats);
  // link(2) follows no link at the end: what the new name stands for is judged at each use.
  counted(target, () => linkSync(source.file, target.file));
  const { ino, nlink } = fstatSync(file.seen.fd);
  // Another object had the name by now: it is not this one that has a name more.
  if (nlink === file.stats.nlink + 1) account.linked(ino, names + 1);
}

/** What a scanner has looked at must be what gets the new name. */
function assertSame(stats: Stats, seen: SeenInode): void {
  if (seen === "noFile" ? stats.isFile() : seen !== undefined && stats.ino !== seen)
    throw fileError("BROKER_FILE_BUSY", "the file was replaced meanwhile");
}

/** Takes one entry before it is made, and gives it back when it was not. */
function counted({ root, path }: Place, make: () => void): void {
  root.account.reserve(path.folder, 0, 1);
  try {
    make();
  } catch (error) {
    root.account.release(0, 1);
    throw error;
  }
}

/** A link's text by counting: from its own folder it may not climb out of the granted one. */
function assertLinkStays({ components, path }: Place, target: string): void {
  let depth = components.length - 1;
  for (const part of componentsOf(target, path)) {
    depth += part === ".." ? -1 : 1;
    if (depth < 0)
      throw fileError("BROKER_FILE_KIND", "the link leads out of the granted folder", "EPERM");
  }
}

/** What a folder holds may not come to lie deeper than the grant allows. */
function assertDepth({ opener }: DiskContext, source: Place, target: Place): void {
  const most = target.path.folder.maxDepth - target.components.length;
  visitBelow(opener, source.root, source.whole, ({ path }) => {
    if (path.length - source.whole.length + 1 > most)
      throw fileError("BROKER_PATH_SYNTAX", "deeper than the grant allows", "ENAMETOOLONG");
  });
}
