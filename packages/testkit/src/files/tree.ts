/**
 * @module A tree of files, folders and links in memory, and the way from a guest path to a node: links
 * are followed without ever leaving the root.
 */
import type { FileCondition } from "@glovebox/core/ports";

/** Links that one path may go through (POSIX SYMLOOP_MAX, as on Linux). */
const MAX_LINKS = 40;

/** Times of a node, nanoseconds since 1970. */
export interface NodeTimes {
  accessed: bigint;
  modified: bigint;
  changed: bigint;
}

interface Common {
  readonly id: bigint;
  links: number;
  readonly times: NodeTimes;
}

/** A file. */
export interface FileNode extends Common {
  readonly kind: "file";
  bytes: Uint8Array;
}

/** A folder. */
export interface FolderNode extends Common {
  readonly kind: "directory";
  readonly entries: Map<string, TreeNode>;
}

/** A symbolic link. */
export interface LinkNode extends Common {
  readonly kind: "link";
  readonly target: string;
}

/** What a name can stand for. */
export type TreeNode = FileNode | FolderNode | LinkNode;

/** An operation that failed, in POSIX's terms. */
export class TreeError extends Error {
  readonly details: { readonly condition: FileCondition };

  constructor(condition: FileCondition) {
    super(condition);
    this.details = { condition };
  }
}

/** Fails an operation. */
export function failWith(condition: FileCondition): never {
  throw new TreeError(condition);
}

/** A place in the tree: a folder, a name in it, and what the name stands for. */
export interface Place {
  readonly folder: FolderNode;
  readonly name: string;
  readonly node: TreeNode | undefined;
}

/** How a path is walked. */
export interface WalkOptions {
  /** Follow a link at the end. */
  readonly followLinks: boolean;
  /** Links may be followed at all. */
  readonly linksAllowed: boolean;
}

/** Walks an absolute path. `..` above the root, and links that begin with a slash, lead outside. */
export function walk(root: FolderNode, path: string, options: WalkOptions): Place {
  if (!path.startsWith("/")) failWith("EINVAL");
  const rest = path.split("/").filter((part) => part !== "" && part !== ".");
  const parents: FolderNode[] = [];
  let place: Place = { folder: root, name: ".", node: root };
  let links = 0;
  while (rest.length > 0) {
    const name = rest.shift() ?? "";
    const folder = place.node ?? failWith("ENOENT");
    if (folder.kind !== "directory") failWith("ENOTDIR");
    if (name === "..") {
      const parent = parents.pop() ?? failWith("EACCES");
      place = { folder: parent, name: ".", node: parent };
      continue;
    }
    const node = folder.entries.get(name);
    if (node?.kind === "link" && (rest.length > 0 || options.followLinks)) {
      if (!options.linksAllowed || node.target.startsWith("/")) failWith("EACCES");
      if (++links > MAX_LINKS) failWith("ELOOP");
      rest.unshift(...node.target.split("/").filter((part) => part !== "" && part !== "."));
      place = { folder, name: ".", node: folder };
      continue;
    }
    parents.push(folder);
    place = { folder, name, node };
  }
  return place;
}
