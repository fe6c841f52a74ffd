/**
 * @module A folder of the broker's own below a directory, for what is temporary: files written
 * aside, temporary roots. Its name cannot be guessed, and no plugin can say it (RESERVED_NAME). It
 * belongs to the process that holds a lock beside it; a lock that nobody holds is a crashed host's,
 * and what belongs to it is removed by whoever comes next.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";

import type { FileCalls } from "@glovebox/linux/files";

import { RESERVED_NAME } from "../target/guest-path.ts";
import { fileError } from "./condition.ts";
import { type Descriptor, errnoOf, unlessMissing } from "./descriptor.ts";
import type { KeptDescriptors } from "./kept-descriptors.ts";
import { namesIn, removeTree } from "./tree.ts";
import type { Opener, OpenRoot } from "./walk.ts";

/** What a session works with. */
export interface SessionPlace {
  readonly opener: Opener;
  readonly root: OpenRoot;
  /** Absent without node:ffi and koffi: then leftovers are left to the operator. */
  readonly calls: FileCalls | undefined;
  readonly kept: KeptDescriptors;
}

/** A temporary folder of this process. */
export interface Session {
  /** Components from the root to it. */
  readonly path: readonly string[];
  /** Removes it with everything in it. */
  close(): void;
}

const LOCK_FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_CREAT | constants.O_EXCL;
const LOCK_SUFFIX = ".lock";
/** A lock that a cleaner took between its creation and ours; more would be no accident. */
const MAX_LOCK_TRIES = 8;

/** Makes the session's folder. */
export function openSession(place: SessionPlace): Session {
  const { opener, root } = place;
  ensureFolder(place);
  for (let tries = 0; tries < MAX_LOCK_TRIES; tries += 1) {
    const name = randomBytes(16).toString("hex");
    using folder = opener.folder(root, [RESERVED_NAME]);
    const lock = openSync(folder.inside(name + LOCK_SUFFIX), LOCK_FLAGS, 0o600);
    if (!isOurs(place, lock)) {
      closeSync(lock);
      continue;
    }
    place.kept.add(lock);
    mkdirSync(folder.inside(name), 0o700);
    const path = [RESERVED_NAME, name];
    return {
      path,
      close() {
        removeTree(opener, root, path);
        removeLock(place, name);
        place.kept.delete(lock);
        closeSync(lock);
        removeIfEmpty(place);
      },
    };
  }
  throw fileError("BROKER_FILE_IO", "no lock could be had for a temporary folder");
}

/** Removes what crashed hosts have left below the root. */
export function removeLeftovers(place: SessionPlace): void {
  const { opener, root, calls } = place;
  if (calls === undefined) return;
  const names = unlessMissing(() => {
    using folder = opener.folder(root, [RESERVED_NAME]);
    return [...namesIn(folder)];
  });
  if (names === undefined) return;
  for (const file of names.filter((name) => name.endsWith(LOCK_SUFFIX))) {
    const lock = unlessMissing(() => {
      using folder = opener.folder(root, [RESERVED_NAME]);
      return openSync(folder.inside(file), constants.O_RDWR | constants.O_NOFOLLOW);
    });
    if (lock === undefined) continue;
    try {
      if (!calls.tryLock(lock)) continue;
      const name = file.slice(0, -LOCK_SUFFIX.length);
      removeTree(opener, root, [RESERVED_NAME, name]);
      removeLock(place, name);
    } finally {
      closeSync(lock);
    }
  }
  removeIfEmpty(place);
}

function isOurs({ calls }: SessionPlace, lock: number): boolean {
  if (calls === undefined) return true;
  return calls.tryLock(lock) && fstatSync(lock).nlink === 1;
}

function ensureFolder({ opener, root }: SessionPlace): void {
  using top = opener.folder(root, []);
  try {
    mkdirSync(top.inside(RESERVED_NAME), 0o700);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

function removeLock({ opener, root }: SessionPlace, name: string): void {
  unlessMissing(() => {
    using folder = opener.folder(root, [RESERVED_NAME]);
    unlinkSync(folder.inside(name + LOCK_SUFFIX));
  });
}

function removeIfEmpty({ opener, root }: SessionPlace): void {
  try {
    using top: Descriptor = opener.folder(root, []);
    rmdirSync(top.inside(RESERVED_NAME));
  } catch {
    // Another host works below this root, or there was nothing.
  }
}
