/**
 * @module Files that are written aside: under a name that no plugin can say, until they get their
 * own at once and whole, or never (threat: temp-file-swap).
 */
import { type Stats, constants, fstatSync, fsyncSync, renameSync } from "node:fs";

import type { FolderGrant } from "../grant/grant.ts";
import { MAX_TRANSFER_BYTES } from "../limits.ts";
import { fileError } from "./condition.ts";
import { Descriptor, unlessMissing } from "./descriptor.ts";
import {
  type OpenFile,
  closeFile,
  hold,
  locate,
  missing,
  openExisting,
  readAt,
  writeAt,
} from "./open-file.ts";
import type { OpenRequest } from "./protocol.ts";
import type { HostRoot } from "./roots.ts";
import type { Opener } from "./walk.ts";

/** A copy of what has the name, or an empty file. */
export function openAside(opener: Opener, root: HostRoot, request: OpenRequest): OpenFile {
  const { rights, exclusive, truncate, path } = request;
  const { folder } = path;
  const components = locate(opener, root, request);
  const source = unlessMissing(
    () => new Descriptor(openExisting(opener, root, folder, components, constants.O_RDONLY).fd),
  );
  if (source === undefined && !rights.includes("create")) missing();
  if (source !== undefined && exclusive) {
    source[Symbol.dispose]();
    throw fileError("BROKER_FILE_EXISTS");
  }
  const { path: aside, ...opened } = newAside(root, folder);
  const file = hold({
    ...opened,
    folder,
    root,
    rights,
    aside: { path: aside, target: { components, exclusive } },
  });
  try {
    if (source !== undefined && !truncate) copyInto({ ...file, rights: ["write"] }, source.fd);
    return file;
  } catch (error) {
    closeFile(opener, file);
    throw error;
  } finally {
    source?.[Symbol.dispose]();
  }
}

function copyInto(file: OpenFile, source: number): void {
  const from = { ...file, fd: source };
  for (let at = 0; ;) {
    const bytes = readAt(from, at, MAX_TRANSFER_BYTES);
    if (bytes.length === 0) return;
    writeAt(file, at, bytes);
    at += bytes.length;
  }
}

function newAside(
  root: HostRoot,
  folder: FolderGrant,
): { readonly fd: number; readonly inode: number; readonly path: readonly string[] } {
  root.account.reserve(folder, 0, 1);
  try {
    const { fd, path } = root.createAside();
    return { fd, inode: fstatSync(fd).ino, path };
  } catch (error) {
    root.account.release(0, 1);
    throw error;
  }
}

/** Another file aside for the same name, for what a scanner releases of the first. */
export function substituteFor(file: OpenFile): OpenFile {
  if (file.aside === undefined) throw fileError("BROKER_FILE_CLOSED", "not written aside");
  const { path, ...opened } = newAside(file.root, file.folder);
  const { folder, root, rights } = file;
  return hold({ ...opened, folder, root, rights, aside: { path, target: file.aside.target } });
}

/** Gives a file that was written aside its name, in place of what has it. */
export function publish(opener: Opener, file: OpenFile): OpenFile {
  if (file.aside === undefined) return file;
  const { root, folder } = file;
  const { path, target } = file.aside;
  fsyncSync(file.fd);
  using from = opener.folder(root, path.slice(0, -1));
  using to = opener.folder(root, target.components.slice(0, -1));
  const name = target.components.at(-1) ?? "";
  const replaced = unlessMissing(() => lookAt(opener, root, target.components));
  if (replaced !== undefined && target.exclusive) throw fileError("BROKER_FILE_EXISTS");
  if (replaced?.isFile() === false)
    throw fileError("BROKER_FILE_KIND", "the name is a folder's", "EISDIR");
  renameSync(from.inside(path.at(-1) ?? ""), to.inside(name));
  if (replaced !== undefined) root.account.removed(replaced);
  return { fd: file.fd, inode: file.inode, folder, root, rights: file.rights };
}

function lookAt(opener: Opener, root: HostRoot, components: readonly string[]): Stats {
  using seen = opener.object(root, components);
  return fstatSync(seen.fd);
}
