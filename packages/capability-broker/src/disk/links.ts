/**
 * @module Symbolic links inside a granted folder, for grants with the right `link` (CWE-59). A link
 * is read and taken apart like a path that the plugin wrote, `..` by counting and never by the file
 * system; what comes out holds no link any more and is opened without following any. Whatever is
 * swapped meanwhile makes that opening fail: nothing here is trusted later.
 */
import { fstatSync, readlinkSync } from "node:fs";

import { MAX_FOLLOWED_LINKS } from "../limits.ts";
import { isAskable } from "../target/guest-path.ts";
import { fileError } from "./condition.ts";
import { unlessMissing } from "./descriptor.ts";
import type { PlacedPath } from "./protocol.ts";
import type { Opener, OpenRoot } from "./walk.ts";

/** Components from the granted folder to the object that is meant, free of links. */
export function withoutLinks(
  opener: Opener,
  root: OpenRoot,
  path: PlacedPath,
  followLast: boolean,
): readonly string[] {
  if (!path.folder.rights.includes("link")) return path.components;
  const { below } = path.folder;
  const resolved: string[] = [];
  const left = [...path.components];
  let followed = 0;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === "..") {
      // The folder's own parent is never meant, whatever lies there.
      if (resolved.pop() === undefined)
        throw fileError("BROKER_FILE_KIND", "the link leads out of the granted folder", "EPERM");
      continue;
    }
    resolved.push(name);
    if (left.length === 0 && !followLast) break;
    const target = unlessMissing(() => targetOf(opener, root, [...below, ...resolved]));
    if (target === undefined) continue;
    if (++followed > MAX_FOLLOWED_LINKS)
      throw fileError("BROKER_FILE_KIND", "too many links", "ELOOP");
    resolved.pop();
    left.unshift(...componentsOf(target, path));
  }
  assertWithin(path, resolved);
  return resolved;
}

/**
 * The text of a link as components.
 *
 * @throws {@link BrokerError} (`BROKER_FILE_KIND`, `BROKER_PATH_NAME`)
 */
export function componentsOf(target: string, { folder }: PlacedPath): readonly string[] {
  // An absolute target would mean the host's root, or nothing that a guest path could say.
  if (target === "" || target.startsWith("/"))
    throw fileError("BROKER_FILE_KIND", "the link is absolute", "EPERM");
  const components = target.split("/").filter((part) => part !== "" && part !== ".");
  if (components.length > folder.maxDepth * 2)
    throw fileError("BROKER_PATH_SYNTAX", "the link is too long", "ENAMETOOLONG");
  if (components.some((part) => part !== ".." && !isAskable(part, folder.allowHidden)))
    throw fileError("BROKER_PATH_NAME", "the link holds a hidden or reserved name");
  return components;
}

function targetOf(
  opener: Opener,
  root: OpenRoot,
  components: readonly string[],
): string | undefined {
  using object = opener.object(root, components);
  if (!fstatSync(object.fd).isSymbolicLink()) return undefined;
  using parent = opener.folder(root, components.slice(0, -1));
  return readlinkSync(parent.inside(components.at(-1) ?? "."));
}

/** The bounds that a path is held to, for one that links have made. */
function assertWithin({ folder, shadowed }: PlacedPath, components: readonly string[]): void {
  if (components.length > folder.maxDepth)
    throw fileError("BROKER_PATH_SYNTAX", "deeper than the grant allows", "ENAMETOOLONG");
  if (shadowed.some((other) => other.every((part, at) => components[at] === part)))
    throw fileError("BROKER_PATH_NOT_GRANTED", "the link leads into another granted folder");
}
