/**
 * @module What lies below a host directory, counted at its first change and kept from then on: room
 * is taken before it is used, and every grant on the directory takes from the same account. The
 * worker does one thing at a time, so that parallel writers cannot each see room for one.
 */
import type { Stats } from "node:fs";

import type { FolderGrant } from "../grant/grant.ts";
import { MAX_COUNTED_ENTRIES } from "../limits.ts";
import { RESERVED_NAME } from "../target/guest-path.ts";
import { fileError } from "./condition.ts";
import { visitBelow } from "./tree.ts";
import type { Opener, OpenRoot } from "./walk.ts";

/** Bytes, entries and names below one host directory. */
export interface Account {
  /** As counted so far; `undefined` before the first count. */
  readonly totals: { readonly bytes: number; readonly entries: number } | undefined;
  /** Takes bytes and entries, or throws `BROKER_FILE_QUOTA`. */
  reserve(folder: FolderGrant, bytes: number, entries: number): void;
  /** Gives bytes and entries back. */
  release(bytes: number, entries: number): void;
  /** A file that is open keeps its bytes on disk even when it is removed. */
  hold(inode: number): void;
  drop(inode: number): void;
  /** A name is gone; with the file's last one its bytes come back, now or when it is closed. */
  removed(stats: Stats): void;
  /** A file or link has one name more. */
  linked(inode: number, names: number): void;
  /** Names of a file or link that lie below the directory. */
  namesOf(stats: Stats): number;
}

interface Counted {
  bytes: number;
  entries: number;
  /** Names below the root of files and links that have several. */
  readonly names: Map<number, number>;
}

/** An account that counts when it is first asked, and says when its totals change. */
export function createAccount(
  opener: Opener,
  root: OpenRoot,
  isCancelled: () => boolean,
  onChange: () => void,
): Account {
  const open = new Map<number, { count: number; removedBytes: number | undefined }>();
  let counted: Counted | undefined;

  function used(): Counted {
    if (counted === undefined) {
      counted = countBelow(opener, root, isCancelled);
      onChange();
    }
    return counted;
  }

  function release(bytes: number, entries: number): void {
    if (counted === undefined) return;
    counted.bytes = Math.max(0, counted.bytes - bytes);
    counted.entries = Math.max(0, counted.entries - entries);
    onChange();
  }

  return {
    get totals() {
      return counted;
    },
    release,
    reserve(folder, bytes, entries) {
      const total = used();
      if (
        (bytes > 0 && total.bytes + bytes > folder.quotaBytes) ||
        (entries > 0 && total.entries + entries > folder.maxFiles)
      ) {
        throw fileError(
          "BROKER_FILE_QUOTA",
          `${total.bytes} of ${folder.quotaBytes} bytes and ${total.entries} of ${folder.maxFiles} files are used`,
        );
      }
      total.bytes += bytes;
      total.entries += entries;
      onChange();
    },
    hold(inode) {
      const entry = open.get(inode) ?? { count: 0, removedBytes: undefined };
      entry.count += 1;
      open.set(inode, entry);
    },
    drop(inode) {
      const entry = open.get(inode);
      if (entry === undefined || --entry.count > 0) return;
      open.delete(inode);
      if (entry.removedBytes !== undefined) release(entry.removedBytes, 0);
    },
    removed(stats) {
      release(0, 1);
      if (stats.isDirectory()) return;
      const names = counted?.names.get(stats.ino);
      if (stats.nlink > 1) {
        if (names !== undefined) counted?.names.set(stats.ino, names - 1);
        return;
      }
      counted?.names.delete(stats.ino);
      // Only a file's bytes are counted.
      if (!stats.isFile()) return;
      const entry = open.get(stats.ino);
      if (entry === undefined) release(stats.size, 0);
      else entry.removedBytes = stats.size;
    },
    linked: (inode, names) => void used().names.set(inode, names),
    namesOf: ({ ino, nlink }) => used().names.get(ino) ?? (nlink === 1 ? 1 : 0),
  };
}

function countBelow(opener: Opener, root: OpenRoot, isCancelled: () => boolean): Counted {
  const total: Counted = { bytes: 0, entries: 0, names: new Map() };
  visitBelow(opener, root, [], ({ path, name, stats }) => {
    if (path.length === 0 && name === RESERVED_NAME) return false;
    if (++total.entries > MAX_COUNTED_ENTRIES) {
      throw fileError(
        "BROKER_FILE_QUOTA",
        `more than ${MAX_COUNTED_ENTRIES} entries below the root`,
      );
    }
    if (isCancelled()) throw fileError("BROKER_CANCELLED");
    if (stats.isDirectory()) return true;
    const known = total.names.get(stats.ino);
    if (stats.nlink > 1) total.names.set(stats.ino, (known ?? 0) + 1);
    if (known === undefined && stats.isFile()) total.bytes += stats.size;
    return true;
  });
  return total;
}
