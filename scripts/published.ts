/** @module The packages that are published and their doors, for the checks that look at `dist/`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { doorsOf, pathOfDoor } from "./uniformity/shape.ts";
import type { PackageManifest } from "./uniformity/workspace.ts";

/** One public way into a package. */
export interface Door {
  /** `capability-broker.network`, or the package's name alone for its main door. */
  readonly name: string;
  /** Path below `src/` or `dist/`, without extension. */
  readonly path: string;
}

/** A package that is not private. */
export interface PublishedPackage {
  readonly name: string;
  readonly folder: string;
  readonly manifest: PackageManifest;
  readonly doors: readonly Door[];
}

/** The root of the repository. */
export const ROOT: string = dirname(import.meta.dirname);

/** All packages below `root` that are not private. */
export function publishedPackages(root: string): readonly PublishedPackage[] {
  return readdirSync(join(root, "packages"))
    .toSorted()
    .map((name) => readPackage(name, join(root, "packages", name)))
    .filter((each) => each !== undefined)
    .filter(({ manifest }) => manifest.private !== true);
}

function readPackage(name: string, folder: string): PublishedPackage | undefined {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return undefined;
  const manifest = JSON.parse(readFileSync(file, "utf8")) as PackageManifest;
  const doors = doorsOf({ manifest }).map((door) => ({
    name: door === "." ? name : `${name}.${door.slice("./".length).replaceAll("/", ".")}`,
    path: pathOfDoor(door),
  }));
  return { name, folder, manifest, doors };
}
