/**
 * @module From a directory and a relative path to a guest path without `.`, `..` and doubled slashes.
 * A path never leaves the directory of its descriptor, as WASI promises to programs that pass
 * directories on; that no path leaves the grant is the host's to see to, link by link.
 */
import { ERRNO, fail } from "./errno.ts";
import type { FileClient } from "./file-client.ts";

/** Links that one path may go through (POSIX SYMLOOP_MAX, as on Linux). */
const MAX_LINKS = 40;
const decoder = new TextDecoder();

/** A path that is ready for the host. */
export interface GuestPath {
  /** Absolute and in normal form. */
  readonly path: string;
  /** The directory of the descriptor itself is meant. */
  readonly isBase: boolean;
  /** A slash at the end: only a directory may be meant. */
  readonly namesDirectory: boolean;
}

/** Resolves a path, which is attacker-controlled, against the directory of a descriptor. */
export function resolvePath(base: string, relative: string, files: FileClient): GuestPath {
  if (relative === "") fail(ERRNO.NOENT);
  if (relative.includes("\0")) fail(ERRNO.INVAL);
  if (relative.startsWith("/")) fail(ERRNO.NOTCAPABLE);
  const components: string[] = [];
  let links = 0;
  const rest = relative.split("/").filter((part) => part !== "" && part !== ".");
  while (rest.length > 0) {
    const part = rest.shift() ?? "";
    if (part !== "..") {
      components.push(part);
      continue;
    }
    if (components.length === 0) fail(ERRNO.NOTCAPABLE);
    // `x/..` is where x leads to, one up: x must be there, and may be a link.
    const above = join(base, components);
    if (files.stat(above, false).kind === "link") {
      if (++links > MAX_LINKS) fail(ERRNO.LOOP);
      const target = decoder.decode(files.readLink(above));
      if (target.startsWith("/")) fail(ERRNO.NOTCAPABLE);
      components.pop();
      rest.unshift(...target.split("/").filter((name) => name !== "" && name !== "."), "..");
      continue;
    }
    if (files.stat(above, false).kind !== "directory") fail(ERRNO.NOTDIR);
    components.pop();
  }
  return {
    path: join(base, components),
    isBase: components.length === 0,
    namesDirectory: /(^|\/)\.{0,2}$/.test(relative),
  };
}

function join(base: string, components: readonly string[]): string {
  const below = components.join("/");
  if (below === "") return base;
  return base === "/" ? `/${below}` : `${base}/${below}`;
}
