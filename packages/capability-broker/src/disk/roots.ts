/**
 * @module The directories that a file worker has open, each with its account and, once something is
 * written aside or temporary, a session folder.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";

import type { FileCalls } from "@glovebox/linux/files";

import { type Account, createAccount } from "./account.ts";
import { fileError } from "./condition.ts";
import { type Descriptor, errnoOf, unlessMissing } from "./descriptor.ts";
import type { KeptDescriptors } from "./kept-descriptors.ts";
import type { AccountTotals, RootPlace } from "./protocol.ts";
import { type Session, openSession, removeLeftovers } from "./session.ts";
import { removeTree } from "./tree.ts";
import { type Opener, type OpenRoot, openRoot } from "./walk.ts";

/** An open directory. */
export interface HostRoot extends OpenRoot {
  readonly account: Account;
  readonly kept: KeptDescriptors;
  /** Opens a new file without a name that a plugin could say; answers the components to it. */
  createAside(): { readonly fd: number; readonly path: readonly string[] };
}

/** The open directories. */
export interface Roots {
  rootOf(place: RootPlace): HostRoot;
  /** Accounts that have changed since this was last asked. */
  takeChanged(): readonly AccountTotals[];
  dropTemporary(keys: readonly string[]): void;
  close(): void;
}

/** What they work with. */
export interface RootsContext {
  readonly opener: Opener;
  readonly calls: FileCalls | undefined;
  readonly temporaryDirectory: string;
  readonly isCancelled: () => boolean;
  readonly kept: KeptDescriptors;
}

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

interface Entry {
  readonly root: HostRoot;
  close(): void;
}

/** No directory open yet. */
export function createRoots(context: RootsContext): Roots {
  const { opener, calls, kept } = context;
  const entries = new Map<string, Entry>();
  let scratch: { readonly root: OpenRoot; readonly session: Session } | undefined;
  let count = 0;

  /** By their place, which is one object for as long as the directory is open. */
  const changed = new Map<RootPlace, Account>();

  function open(descriptor: Descriptor, of: RootPlace): Entry {
    kept.add(descriptor.fd);
    const root: OpenRoot = { fd: descriptor.fd, device: fstatSync(descriptor.fd).dev };
    const place = { opener, root, calls, kept };
    let session: Session | undefined;
    const account = createAccount(opener, root, context.isCancelled, () =>
      changed.set(of, account),
    );
    return {
      root: {
        ...root,
        kept,
        account,
        createAside() {
          session ??= openSession(place);
          count += 1;
          const path = [...session.path, String(count)];
          using folder = opener.folder(root, session.path);
          const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
          return { fd: openSync(folder.inside(String(count)), flags, 0o600), path };
        },
      },
      close() {
        session?.close();
        changed.delete(of);
        kept.delete(root.fd);
        closeSync(root.fd);
      },
    };
  }

  function openHost(path: string): Entry {
    const entry = open(openRoot(path), { kind: "host", path });
    removeLeftovers({ opener, root: entry.root, calls, kept });
    return entry;
  }

  /** One folder for all temporary roots, below a directory that only this user can enter. */
  function openTemporary(key: string): Entry {
    scratch ??= openScratch();
    const { root, session } = scratch;
    using parent = opener.folder(root, session.path);
    mkdirSync(parent.inside(key), 0o700);
    return open(opener.folder(root, [...session.path, key]), { kind: "temporary", key });
  }

  function openScratch(): { readonly root: OpenRoot; readonly session: Session } {
    const path = join(context.temporaryDirectory, `glovebox-${process.getuid?.() ?? 0}`);
    try {
      mkdirSync(path, 0o700);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
    const { fd } = openRoot(path);
    const { dev: device, uid, mode } = fstatSync(fd);
    // In a shared folder such as /tmp somebody else may have been first.
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
      closeSync(fd);
      throw fileError(
        "BROKER_FILE_IO",
        "the temporary directory belongs to somebody else",
        "EACCES",
      );
    }
    const root = { fd, device };
    kept.add(fd);
    removeLeftovers({ opener, root, calls, kept });
    return { root, session: openSession({ opener, root, calls, kept }) };
  }

  return {
    rootOf(place) {
      const key = place.kind === "host" ? place.path : `temporary ${place.key}`;
      let entry = entries.get(key);
      if (entry === undefined) {
        entry = place.kind === "host" ? openHost(place.path) : openTemporary(place.key);
        entries.set(key, entry);
      }
      return entry.root;
    },
    takeChanged() {
      if (changed.size === 0) return [];
      const totals = [...changed].flatMap(([root, { totals: now }]) =>
        now === undefined ? [] : [{ root, bytes: now.bytes, entries: now.entries }],
      );
      changed.clear();
      return totals;
    },
    dropTemporary(keys) {
      for (const key of keys) {
        const entry = entries.get(`temporary ${key}`);
        entries.delete(`temporary ${key}`);
        entry?.close();
        if (scratch !== undefined) removeTree(opener, scratch.root, [...scratch.session.path, key]);
      }
    },
    close() {
      for (const entry of entries.values()) unlessMissing(() => entry.close());
      entries.clear();
      scratch?.session.close();
      if (scratch !== undefined) {
        kept.delete(scratch.root.fd);
        closeSync(scratch.root.fd);
      }
      scratch = undefined;
    },
  };
}
