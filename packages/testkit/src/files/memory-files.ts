/**
 * @module The file port over a tree in memory: a second implementation beside the broker's, for tests
 * that need files and no disk. Links are a right of their own here, too.
 */
import { allow, refuse } from "@glovebox/core/decision";
import type {
  FileCondition,
  FileDecision,
  FileHandle,
  FilePort,
  FileRight,
  FileStat,
  FileTimes,
} from "@glovebox/core/ports";

import {
  failWith,
  type FileNode,
  type FolderNode,
  TreeError,
  type TreeNode,
  walk,
} from "./tree.ts";

const NS_PER_MS = 1_000_000n;
const ALL_RIGHTS: readonly FileRight[] = [
  ...(["read", "write", "create", "append", "truncate", "setTimes"] as const),
  ...(["list", "stat", "delete", "rename", "mkdir", "link"] as const),
];
const encoder = new TextEncoder();

/** What the files are at the beginning, and what may be done with them. */
export interface MemoryFilesOptions {
  /** Content by absolute path; missing folders are made. A path that ends with a slash is an empty folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Targets of symbolic links by absolute path. */
  readonly links?: Readonly<Record<string, string>>;
  /** The granted folders. Default: the root alone. */
  readonly folders?: readonly string[];
  /** Default: all but `link`. */
  readonly rights?: readonly FileRight[];
}

/** Files in memory. */
export interface MemoryFiles extends FilePort {
  /** Files that are open now. */
  readonly openFiles: number;
  /** The content of a file; `undefined` where there is none. */
  contentOf(path: string): Uint8Array | undefined;
}

/**
 * Makes files in memory.
 *
 * @example
 * ```ts
 * const files = memoryFiles({ files: { "/data/a.txt": "hello" }, folders: ["/data"] });
 * ```
 */
export function memoryFiles(options: MemoryFilesOptions = {}): MemoryFiles {
  const { folders = ["/"], rights: granted = ALL_RIGHTS.filter((right) => right !== "link") } =
    options;
  const linksAllowed = granted.includes("link");
  let lastId = 0n;
  let lastNs = 0n;
  let openFiles = 0;
  const root = newFolder();
  for (const [path, content] of Object.entries(options.files ?? {})) plant(path, content);
  for (const [path, target] of Object.entries(options.links ?? {})) {
    const { folder, name } = plant(path.replace(/[^/]*$/, ""), "", path);
    folder.entries.set(name, { kind: "link", target, ...common() });
  }

  return {
    folders,
    get openFiles() {
      return openFiles;
    },
    contentOf(path) {
      const { node } = walk(root, path, { followLinks: true, linksAllowed: true });
      return node?.kind === "file" ? node.bytes : undefined;
    },
    open: (
      _scope,
      path,
      rights,
      { exclusive = false, truncate = false, followLinks = true } = {},
    ) =>
      decide(path, [...rights, ...(truncate ? (["truncate"] as const) : [])], () => {
        const { folder, name, node } = at(path, followLinks);
        if (node === undefined && rights.has("create")) {
          const made: FileNode = { kind: "file", bytes: new Uint8Array(0), ...common() };
          folder.entries.set(name, made);
          touch(folder);
          return handleOf(made, rights);
        }
        if (node === undefined) return failWith("ENOENT");
        if (exclusive) failWith("EEXIST");
        if (node.kind === "directory") return failWith("EISDIR");
        if (node.kind === "link") return failWith("ELOOP");
        if (truncate) node.bytes = new Uint8Array(0);
        return handleOf(node, rights);
      }),
    stat: (_scope, path, { followLinks = true } = {}) =>
      decide(path, ["stat"], () => statOf(found(path, followLinks))),
    setTimes: (_scope, path, times, { followLinks = true } = {}) =>
      decide(path, ["setTimes"], () => setTimes(found(path, followLinks), times)),
    list: (_scope, path, cursor, max) =>
      decide(path, ["list"], () => {
        const node = found(path, true);
        if (node.kind !== "directory") return failWith("ENOTDIR");
        const names = [...node.entries.keys()].filter((name) => name > (cursor ?? "")).sort();
        const entries = names.slice(0, max).flatMap((name) => {
          const entry = node.entries.get(name);
          return entry === undefined ? [] : [{ name, kind: entry.kind, id: entry.id }];
        });
        const last = entries.at(-1);
        return names.length > max && last !== undefined
          ? { entries, cursor: last.name }
          : { entries };
      }),
    rename: (_scope, from, to) =>
      decide(from, ["rename"], () => {
        const source = at(from, false);
        const target = at(to, false);
        const moved = source.node ?? failWith("ENOENT");
        if (moved === target.node) return;
        if (moved.kind === "directory" && isInside(moved, target.folder)) failWith("EINVAL");
        checkReplaced(moved, target.node);
        source.folder.entries.delete(source.name);
        if (target.node !== undefined) target.node.links -= 1;
        target.folder.entries.set(target.name, moved);
        touch(source.folder);
        touch(target.folder);
      }),
    remove: (_scope, path, kind) =>
      decide(path, ["delete"], () => {
        const { folder, name, node = failWith("ENOENT") } = at(path, false);
        if (node === root) failWith("EBUSY");
        const isFolder = node.kind === "directory";
        if (kind === "file" && isFolder) failWith("EISDIR");
        if (kind === "directory" && !isFolder) failWith("ENOTDIR");
        if (isFolder && node.entries.size > 0) failWith("ENOTEMPTY");
        folder.entries.delete(name);
        node.links -= 1;
        touch(folder);
      }),
    mkdir: (_scope, path) => decide(path, ["mkdir"], () => add(path, newFolder())),
    symlink: (_scope, target, path) =>
      decide(path, ["link"], () => {
        if (target.startsWith("/")) failWith("EACCES");
        add(path, { kind: "link", target, ...common() });
      }),
    readLink: (_scope, path) =>
      decide(path, ["link"], () => {
        const node = found(path, false);
        return node.kind === "link" ? node.target : failWith("EINVAL");
      }),
    link: (_scope, from, to) =>
      decide(from, ["link"], () => {
        const node = found(from, false);
        if (node.kind === "directory") failWith("EPERM");
        add(to, node);
        node.links += 1;
      }),
  };

  function common() {
    const now = nowNs();
    lastId += 1n;
    return { id: lastId, links: 1, times: { accessed: now, modified: now, changed: now } };
  }

  function newFolder(): FolderNode {
    return { kind: "directory", entries: new Map(), ...common() };
  }

  /** Strictly rising, so that a change always shows. */
  function nowNs(): bigint {
    const now = BigInt(Date.now()) * NS_PER_MS;
    lastNs = now > lastNs ? now : lastNs + 1n;
    return lastNs;
  }

  function touch(node: TreeNode): void {
    const now = nowNs();
    node.times.modified = now;
    node.times.changed = now;
  }

  function plant(path: string, content: string | Uint8Array, named = path) {
    const parts = path.split("/").filter((part) => part !== "");
    const isFolder = path.endsWith("/");
    let folder = root;
    for (const part of isFolder ? parts : parts.slice(0, -1)) {
      const next = folder.entries.get(part) ?? newFolder();
      if (next.kind !== "directory") return failWith("ENOTDIR");
      folder.entries.set(part, next);
      folder = next;
    }
    const name = named.split("/").at(-1) ?? "";
    if (!isFolder) {
      const bytes = typeof content === "string" ? encoder.encode(content) : content.slice();
      folder.entries.set(name, { kind: "file", bytes, ...common() });
    }
    return { folder, name };
  }

  /** From the granted folder on, above which no link leads; the longest that holds the path. */
  function at(path: string, followLinks: boolean) {
    const folder = folders
      .filter((other) => contains(other, path))
      .reduce((longest, other) => (other.length > longest.length ? other : longest), "");
    const { node } = walk(root, folder, { followLinks: false, linksAllowed: false });
    if (node?.kind !== "directory") return failWith("ENOENT");
    return walk(node, `/${path.slice(folder.length)}`, { followLinks, linksAllowed });
  }

  function found(path: string, followLinks: boolean): TreeNode {
    return at(path, followLinks).node ?? failWith("ENOENT");
  }

  function add(path: string, node: TreeNode): void {
    const place = at(path, false);
    if (place.node !== undefined) failWith("EEXIST");
    place.folder.entries.set(place.name, node);
    touch(place.folder);
  }

  async function decide<T>(
    path: string,
    rights: readonly FileRight[],
    act: () => T,
  ): Promise<FileDecision<T>> {
    const isGranted = folders.some((folder) => contains(folder, path));
    const missing = rights.find((right) => !granted.includes(right));
    if (!isGranted || missing !== undefined) return refusal("EACCES", path);
    try {
      return allow("testkit.files", act());
    } catch (error) {
      if (error instanceof TreeError) return refusal(error.details.condition, path);
      throw error;
    }
  }

  function handleOf(node: FileNode, rights: ReadonlySet<FileRight>): FileHandle {
    let isOpen = true;
    openFiles += 1;
    const use = (right?: FileRight): void => {
      if (!isOpen) failWith("EBADF");
      if (right !== undefined && !rights.has(right)) failWith("EACCES");
    };
    const close = async (): Promise<void> => {
      if (isOpen) openFiles -= 1;
      isOpen = false;
    };
    return {
      async readAt(offset, max) {
        use("read");
        return node.bytes.slice(offset, offset + max);
      },
      async writeAt(offset, bytes) {
        use(rights.has("write") ? "write" : "append");
        if (!rights.has("write") && offset !== node.bytes.length) failWith("EINVAL");
        resize(node, Math.max(node.bytes.length, offset + bytes.length));
        node.bytes.set(bytes, offset);
        touch(node);
      },
      async truncate(size) {
        use("truncate");
        resize(node, size);
        touch(node);
      },
      sync: async () => use(),
      async stat() {
        use();
        return statOf(node);
      },
      async setTimes(times) {
        use("setTimes");
        setTimes(node, times);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }
}

function contains(folder: string, path: string): boolean {
  return `${path}/`.startsWith(folder.replace(/\/?$/, "/"));
}

function refusal(condition: FileCondition, path: string) {
  return { ...refuse("TESTKIT_FILE", "testkit.files", `${condition}: ${path}`), condition };
}

function resize(node: FileNode, size: number): void {
  const bytes = new Uint8Array(size);
  bytes.set(node.bytes.subarray(0, size));
  node.bytes = bytes;
}

function statOf(node: TreeNode): FileStat {
  const { accessed, modified, changed } = node.times;
  const size =
    node.kind === "file"
      ? node.bytes.length
      : node.kind === "link"
        ? encoder.encode(node.target).length
        : 0;
  return {
    kind: node.kind,
    size,
    accessedMs: Number(accessed) / 1e6,
    modifiedMs: Number(modified) / 1e6,
    changedMs: Number(changed) / 1e6,
    exactNs: { accessed, modified, changed },
    id: node.id,
    links: node.links,
  };
}

function setTimes(node: TreeNode, { accessedMs, modifiedMs, exactNs }: FileTimes): void {
  const exact = (ms: number): bigint => BigInt(Math.round(ms * 1e6));
  if (accessedMs !== undefined) node.times.accessed = exactNs?.accessed ?? exact(accessedMs);
  if (modifiedMs !== undefined) node.times.modified = exactNs?.modified ?? exact(modifiedMs);
}

/** What rename(2) says of what is in the way. */
function checkReplaced(moved: TreeNode, replaced: TreeNode | undefined): void {
  if (replaced === undefined) return;
  if (moved.kind === "directory") {
    if (replaced.kind !== "directory") failWith("ENOTDIR");
    if (replaced.entries.size > 0) failWith("ENOTEMPTY");
  } else if (replaced.kind === "directory") failWith("EISDIR");
}

function isInside(outer: FolderNode, inner: FolderNode): boolean {
  if (outer === inner) return true;
  return [...outer.entries.values()].some(
    (node) => node.kind === "directory" && isInside(node, inner),
  );
}
