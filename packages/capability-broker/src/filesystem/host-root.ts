/**
 * @module A host directory with what lies below it, shared by every grant that leads there: changes
 * are counted before their effect and one after the other, so that parallel writes through several
 * grants cannot add up to more than one quota.
 */
import type { Dir } from "node:fs";

import type { FolderGrant } from "../grant/grant.ts";
import { MAX_COUNTED_ENTRIES, MAX_WAITING_CHANGES } from "../limits.ts";
import { fileError } from "./condition.ts";
import { type Descriptor, calls, rethrowCoded } from "./descriptor.ts";
import { inside, openFolder, openRoot } from "./walk.ts";

/** An open host directory and its account. */
export interface HostRoot extends Descriptor {
  readonly device: number;
  /** Runs one change after the other; the account is known inside. */
  change<T>(run: () => Promise<T>): Promise<T>;
  /** Takes bytes and files from the quota, before they are used. */
  reserve(folder: FolderGrant, bytes: number, files: number): void;
  /** Gives bytes and files back. */
  release(bytes: number, files: number): void;
  /** A file that is open keeps its bytes on disk even when it is removed. */
  hold(inode: number): void;
  drop(inode: number): void;
  /** Gives back a removed file: now, or when its last handle closes. */
  removed(inode: number, bytes: number): void;
}

/** The host directories in use, opened at first use and kept. */
export interface HostRoots {
  rootOf(host: string): Promise<HostRoot>;
  close(): Promise<void>;
}

/** No directory open yet. */
export function createHostRoots(): HostRoots {
  const roots = new Map<string, Promise<HostRoot>>();
  return {
    rootOf(host) {
      let root = roots.get(host);
      if (root === undefined) {
        root = createHostRoot(host);
        roots.set(host, root);
        root.catch(() => roots.delete(host));
      }
      return root;
    },
    async close() {
      const opened = await Promise.allSettled(roots.values());
      roots.clear();
      for (const root of opened)
        if (root.status === "fulfilled") await root.value[Symbol.asyncDispose]();
    },
  };
}

async function createHostRoot(host: string): Promise<HostRoot> {
  const descriptor = await openRoot(host);
  const { dev: device } = await calls.fstat(descriptor.fd);
  const handles = new Map<number, { count: number; removedBytes: number | undefined }>();
  let used: { bytes: number; files: number } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  function release(bytes: number, files: number): void {
    if (used === undefined) return;
    used.bytes = Math.max(0, used.bytes - bytes);
    used.files = Math.max(0, used.files - files);
  }

  return {
    ...descriptor,
    device,
    release,
    change(run) {
      if (waiting >= MAX_WAITING_CHANGES) {
        return Promise.reject(fileError("BROKER_FILE_BUSY", `${waiting} changes wait`));
      }
      waiting += 1;
      const turn = last.then(async () => {
        try {
          used ??= await countBelow(descriptor, device);
          return await run();
        } finally {
          waiting -= 1;
        }
      });
      last = turn.catch(() => undefined);
      return turn;
    },
    reserve(folder, bytes, files) {
      const total = used ?? { bytes: Infinity, files: Infinity };
      if (
        (bytes > 0 && total.bytes + bytes > folder.quotaBytes) ||
        (files > 0 && total.files + files > folder.maxFiles)
      ) {
        throw fileError(
          "BROKER_FILE_QUOTA",
          `${total.bytes} of ${folder.quotaBytes} bytes and ${total.files} of ${folder.maxFiles} files are used`,
        );
      }
      total.bytes += bytes;
      total.files += files;
    },
    hold(inode) {
      const entry = handles.get(inode) ?? { count: 0, removedBytes: undefined };
      entry.count += 1;
      handles.set(inode, entry);
    },
    drop(inode) {
      const entry = handles.get(inode);
      if (entry === undefined || --entry.count > 0) return;
      handles.delete(inode);
      if (entry.removedBytes !== undefined) release(entry.removedBytes, 1);
    },
    removed(inode, bytes) {
      const entry = handles.get(inode);
      if (entry === undefined) release(bytes, 1);
      else entry.removedBytes = bytes;
    },
  };
}

/** Regular files below a directory; folders and links do not count, nor what lies on other devices. */
async function countBelow(
  root: Descriptor,
  device: number,
): Promise<{ bytes: number; files: number }> {
  const total = { bytes: 0, files: 0 };
  const waiting: (readonly string[])[] = [[]];
  let entries = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    await using folder = await openFolder(root, device, path);
    await using names: Dir = await calls.opendir(inside(folder, ".")).catch(rethrowCoded);
    for await (const entry of names) {
      if (++entries > MAX_COUNTED_ENTRIES) {
        throw fileError(
          "BROKER_FILE_QUOTA",
          `more than ${MAX_COUNTED_ENTRIES} entries below the root`,
        );
      }
      if (entry.isDirectory()) waiting.push([...path, entry.name]);
      else if (entry.isFile()) {
        total.files += 1;
        total.bytes += (await calls.lstat(inside(folder, entry.name))).size;
      }
    }
  }
  return total;
}
