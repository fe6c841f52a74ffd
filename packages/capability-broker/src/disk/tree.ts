/**
 * @module Everything below a folder, one after the other, opened anew for each folder and never
 * through a link: to count it, to measure how deep it goes, to remove it.
 */
import { type Stats, lstatSync, opendirSync, rmdirSync, unlinkSync } from "node:fs";

import { type Descriptor, unlessMissing } from "./descriptor.ts";
import type { Opener, OpenRoot } from "./walk.ts";

/** One name; `folder` is open while it is visited. */
export interface Visited {
  readonly folder: Descriptor;
  /** Components from the root to the folder. */
  readonly path: readonly string[];
  readonly name: string;
  readonly stats: Stats;
}

/**
 * Visits what lies below `top`; a folder before what it holds. What goes away meanwhile is left out.
 * A visitor that answers false keeps out of a folder.
 */
export function visitBelow(
  opener: Opener,
  root: OpenRoot,
  top: readonly string[],
  visit: (visited: Visited) => boolean | void,
): void {
  const waiting: (readonly string[])[] = [top];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const here = path;
    using folder = unlessMissing(() => opener.folder(root, here));
    if (folder === undefined) continue;
    for (const name of namesIn(folder)) {
      const stats = unlessMissing(() => lstatSync(folder.inside(name)));
      if (stats === undefined) continue;
      const enters = visit({ folder, path, name, stats }) !== false;
      if (enters && stats.isDirectory() && stats.dev === root.device) waiting.push([...path, name]);
    }
  }
}

/** Names of an open folder as they come, without reading all of them first. */
export function* namesIn(folder: Descriptor): Generator<string, void, void> {
  const names = opendirSync(folder.inside("."), { bufferSize: 256 });
  try {
    for (let entry = names.readSync(); entry !== null; entry = names.readSync()) yield entry.name;
  } finally {
    names.closeSync();
  }
}

/** Removes a folder with everything in it; what cannot be removed stays. */
export function removeTree(opener: Opener, root: OpenRoot, top: readonly string[]): void {
  const folders: (readonly string[])[] = [top];
  unlessMissing(() =>
    visitBelow(opener, root, top, ({ folder, path, name, stats }) => {
      if (stats.isDirectory()) folders.push([...path, name]);
      else unlessMissing(() => unlinkSync(folder.inside(name)));
    }),
  );
  for (const path of folders.toReversed()) {
    const name = path.at(-1);
    if (name === undefined) continue;
    unlessMissing(() => {
      using parent = opener.folder(root, path.slice(0, -1));
      rmdirSync(parent.inside(name));
    });
  }
}
