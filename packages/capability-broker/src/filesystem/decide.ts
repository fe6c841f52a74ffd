/**
 * @module Whether a guest path may be used with the asked rights: pure and synchronous, before any
 * file is touched. What the path leads to is checked again on the opened object, in walk.ts.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { FileRight } from "@glovebox/core/ports";

import { type FilesystemGrant, type FolderGrant, assertGenuine } from "../grant/grant.ts";
import { pathContains } from "../grant/path-set.ts";
import { checkRawPath, extensionOf, parseRest } from "../target/guest-path.ts";

/** A guest path with its folder, as components that are opened one by one. */
export interface ResolvedPath {
  /** Canonical guest path, for records. */
  readonly guest: string;
  readonly folder: FolderGrant;
  /** Components from the host directory to the object; empty = the directory itself. */
  readonly components: readonly string[];
  /** The guest folder itself is meant, which cannot be removed, renamed or made. */
  readonly isFolderRoot: boolean;
  /** A trailing slash: only a directory may be meant. */
  readonly namesDirectory: boolean;
}

const FILE_RIGHTS: readonly FileRight[] = ["read", "write", "create", "append", "truncate"];
const ENTRY_RIGHTS: readonly FileRight[] = ["delete", "rename", "mkdir", "setTimes"];

/**
 * Decides a guest path. The path is attacker-controlled and may be of any type.
 *
 * @throws {@link BrokerError} (`BROKER_GRANT_UNKNOWN`) when `grant` was not made by this package.
 *
 * @example
 * ```ts
 * import { effectiveGrant } from "@glovebox/capability-broker";
 * import { decidePath } from "@glovebox/capability-broker/filesystem";
 *
 * const grant = effectiveGrant(
 *   { filesystem: { allowRead: true, allowWrite: false, allowedPaths: ["/data"] } },
 *   { filesystem: { roots: [{ guest: "/data", host: "/srv/data", allowRead: true, allowWrite: false }] } },
 * );
 * if (grant.allowed && grant.value.filesystem !== undefined) {
 *   decidePath(grant.value.filesystem, "/data/../etc/passwd", new Set(["read"])).allowed; // false
 * }
 * ```
 */
export function decidePath(
  grant: FilesystemGrant,
  guestPath: unknown,
  rights: ReadonlySet<FileRight>,
): Decision<ResolvedPath> {
  assertGenuine(grant);
  const raw = checkRawPath(guestPath);
  if (!raw.allowed) return raw;
  // Longest prefix first; it must match byte for byte before anything is dropped.
  const folder = grant.folders.find(({ guest }) => pathContains(guest, raw.value));
  if (folder === undefined) {
    return refuse(
      "BROKER_PATH_NOT_GRANTED",
      "filesystem.folders",
      `${received(raw.value)} is outside every granted folder`,
    );
  }
  const rest = parseRest(raw.value, raw.value.slice(folder.guest.length));
  if (!rest.allowed) return rest;
  const { components, namesDirectory } = rest.value;
  if (components.length > folder.maxDepth) {
    return refuse(
      "BROKER_PATH_SYNTAX",
      "filesystem.depth",
      `${components.length} components; at most ${folder.maxDepth}`,
    );
  }
  for (const right of rights) {
    if (!folder.rights.includes(right)) {
      return refuse(
        "BROKER_RIGHT_NOT_GRANTED",
        "filesystem.rights",
        `${right} is not granted in ${folder.guest}`,
      );
    }
  }
  const resolved: ResolvedPath = {
    guest: [folder.guest === "/" ? "" : folder.guest, ...components].join("/") || "/",
    folder,
    components: [...folder.below, ...components],
    isFolderRoot: components.length === 0,
    namesDirectory,
  };
  const isFile = FILE_RIGHTS.some((right) => rights.has(right));
  if (resolved.isFolderRoot && (isFile || ENTRY_RIGHTS.some((right) => rights.has(right)))) {
    return refuse(
      "BROKER_FILE_KIND",
      "filesystem.kind",
      `${received(raw.value)} is the granted folder itself`,
    );
  }
  if (isFile && namesDirectory) {
    return refuse(
      "BROKER_PATH_SYNTAX",
      "filesystem.kind",
      `${received(raw.value)} names a folder, not a file`,
    );
  }
  return isFile && !isExtensionGranted(folder, components.at(-1) ?? "")
    ? refuse(
        "BROKER_PATH_EXTENSION",
        "filesystem.extensions",
        `${received(components.at(-1))} has no granted extension`,
      )
    : allow("filesystem.folders", Object.freeze(resolved));
}

/** Whether regular files of this name are granted. */
export function isExtensionGranted(folder: FolderGrant, name: string): boolean {
  return folder.extensions === "*" || folder.extensions.includes(extensionOf(name));
}
