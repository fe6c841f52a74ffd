/**
 * @module Whether a guest path may be used with the asked rights: pure and synchronous, before any
 * file is touched. What the path leads to is checked again on the opened object, in walk.ts.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { FileRight } from "@glovebox/core/ports";

import { isNameGranted } from "../grant/file-policy.ts";
import { type FilesystemGrant, type FolderGrant, assertGenuine } from "../grant/grant.ts";
import { pathContains } from "../grant/path-set.ts";
import { checkRawPath, parseRest } from "../target/guest-path.ts";

/** A guest path with its folder, as components that are opened one by one; plain data. */
export interface ResolvedPath {
  /** Canonical guest path, for records. */
  readonly guest: string;
  readonly folder: FolderGrant;
  /** Components from the granted folder to the object; empty = the folder itself. */
  readonly components: readonly string[];
  /** A trailing slash: only a directory may be meant. */
  readonly namesDirectory: boolean;
  /** Folders below this one that another grant speaks for: no link leads into them. */
  readonly shadowed: readonly (readonly string[])[];
}

const FILE_RIGHTS: readonly FileRight[] = ["read", "write", "create", "append", "truncate"];
const ENTRY_RIGHTS: readonly FileRight[] = ["delete", "rename", "mkdir"];

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
  const folder = folderOf(grant, raw.value);
  if (folder === undefined) {
    return refuse(
      "BROKER_PATH_NOT_GRANTED",
      "filesystem.folders",
      `${received(raw.value)} is outside every granted folder`,
    );
  }
  const rest = parseRest(raw.value, raw.value.slice(folder.guest.length), folder.allowHidden);
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
  const guest = [folder.guest === "/" ? "" : folder.guest, ...components].join("/") || "/";
  if (folderOf(grant, guest) !== folder) {
    // `/data//private` would otherwise reach what the grant of `/data/private` speaks for.
    return refuse(
      "BROKER_PATH_NOT_GRANTED",
      "filesystem.folders",
      `${received(raw.value)} is a second spelling of a path in another granted folder`,
    );
  }
  const inside = grant.folders.find(
    (other) => other !== folder && pathContains(guest, other.guest),
  );
  const isFile = FILE_RIGHTS.some((right) => rights.has(right));
  const isEntry = ENTRY_RIGHTS.some((right) => rights.has(right));
  if (components.length === 0 && (isFile || isEntry)) {
    return refuse(
      "BROKER_FILE_KIND",
      "filesystem.kind",
      `${received(raw.value)} is the granted folder itself`,
    );
  }
  if (inside !== undefined && (rights.has("delete") || rights.has("rename"))) {
    // Moved away, it would take a folder along that has rights and limits of its own.
    return refuse(
      "BROKER_RIGHT_NOT_GRANTED",
      "filesystem.folders",
      `${received(raw.value)} holds the granted folder ${inside.guest}`,
    );
  }
  if (isFile && namesDirectory) {
    return refuse(
      "BROKER_PATH_SYNTAX",
      "filesystem.kind",
      `${received(raw.value)} names a folder, not a file`,
    );
  }
  return isFile && !isNameGranted(folder, components.at(-1) ?? "")
    ? refuse(
        "BROKER_PATH_EXTENSION",
        "filesystem.extensions",
        `${received(components.at(-1))} has no granted extension`,
      )
    : allow(
        "filesystem.folders",
        Object.freeze({
          guest,
          folder,
          components,
          namesDirectory,
          shadowed: shadowedBy(grant, folder),
        }),
      );
}

/** The folder that speaks for a path: it must match byte for byte before anything is dropped. */
function folderOf(grant: FilesystemGrant, path: string): FolderGrant | undefined {
  let best: FolderGrant | undefined;
  for (const folder of grant.folders) {
    const isDeeper = best === undefined || folder.guest.length > best.guest.length;
    if (isDeeper && pathContains(folder.guest, path)) best = folder;
  }
  return best;
}

function shadowedBy(grant: FilesystemGrant, folder: FolderGrant): readonly (readonly string[])[] {
  return grant.folders.flatMap((other) =>
    other !== folder && pathContains(folder.guest, other.guest)
      ? [
          other.guest
            .slice(folder.guest.length)
            .split("/")
            .filter((part) => part !== ""),
        ]
      : [],
  );
}
