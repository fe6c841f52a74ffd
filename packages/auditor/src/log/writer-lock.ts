/**
 * @module One writer per log. Two would write two entries of one index, which is the worst that can
 * happen to a log, so that whoever cannot be sure to be alone is refused.
 *
 * Two locks are taken. The kernel's, flock(2) on an open file, ends with its holder and binds all
 * containers of one machine. The other is a file that names its owner; it appears whole (written
 * aside, then linked), and a stale one is taken over only under a third file, for otherwise two
 * takers could each remove what the other had just made. Where there is no flock, the file alone
 * decides; where its owner held the flock too, on this boot, the flock has decided.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, open, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { received } from "@glovebox/core/errors";
import { canonicalJson, parseBoundedJson } from "@glovebox/core/json";
import { locateKoffi } from "@glovebox/linux";
import { type FileCalls, loadFileCalls } from "@glovebox/linux/files";

import { AuditorError } from "../errors.ts";
import { MAX_LOCK_BYTES } from "../limits.ts";
import { type LockOwner, type ProcessTable, systemProcesses } from "./lock-owner.ts";

/** The lock in the log's directory. */
export const LOCK_FILE = "audit.lock";
const TAKEOVER_FILE = "audit.lock.takeover";
const FLOCK_FILE = "audit.flock";

/** A held lock. */
export interface WriterLock {
  /** Whether an earlier writer had ended without letting go. */
  readonly tookOver: boolean;
  release(): Promise<void>;
}

/** What a lock is made with; by default the machine's own. */
export interface LockDeps {
  readonly processes?: ProcessTable;
  /** `undefined` where there is no flock. */
  readonly fileCalls?: Pick<FileCalls, "tryLock"> | undefined;
}

/** The owner as the file has it. */
interface WrittenOwner extends LockOwner {
  /** Whether the owner held the kernel's lock too. */
  readonly hasFlock: boolean;
}

/**
 * Takes the lock of a directory.
 *
 * @throws {@link AuditorError} (`AUDITOR_LOCKED`)
 */
export async function acquireLock(directory: string, deps: LockDeps = {}): Promise<WriterLock> {
  const { processes = systemProcesses } = deps;
  const fileCalls = "fileCalls" in deps ? deps.fileCalls : machineCalls();
  const flock = fileCalls === undefined ? undefined : await takeFlock(directory, fileCalls);
  try {
    const lock = await acquireFile(directory, processes, flock !== undefined);
    return {
      tookOver: lock.tookOver,
      async release() {
        try {
          await lock.release();
        } finally {
          await flock?.close();
        }
      },
    };
  } catch (error) {
    await flock?.close();
    throw error;
  }
}

let loaded: { readonly calls: FileCalls | undefined } | undefined;

function machineCalls(): FileCalls | undefined {
  loaded ??= { calls: loadFileCalls(locateKoffi()?.entry) };
  return loaded.calls;
}

/** The descriptor that holds the kernel's lock until it is closed. */
async function takeFlock(
  directory: string,
  fileCalls: Pick<FileCalls, "tryLock">,
): Promise<FileHandle> {
  const path = join(directory, FLOCK_FILE);
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    if (!fileCalls.tryLock(handle.fd)) throw locked(`another process holds the lock on ${path}`);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function acquireFile(
  directory: string,
  processes: ProcessTable,
  hasFlock: boolean,
): Promise<WriterLock> {
  const path = join(directory, LOCK_FILE);
  const token = randomUUID();
  const content = canonicalJson({ ...processes.self(), hasFlock, token });
  if (await create(path, content, token)) return held(path, content, false);
  const takeover = join(directory, TAKEOVER_FILE);
  if (!(await create(takeover, content, token))) {
    throw locked(`${takeover} exists: another process is taking over, or ended while it did`);
  }
  try {
    const problem = await problemOf(path, processes, hasFlock);
    if (problem !== undefined) throw locked(problem);
    await unlink(path).catch(ignoreMissing);
    if (!(await create(path, content, token))) throw locked("another process was faster");
    return held(path, content, true);
  } finally {
    await unlink(takeover);
  }
}

function held(path: string, content: string, tookOver: boolean): WriterLock {
  return {
    tookOver,
    async release() {
      // Someone may have removed the lock by hand and taken it: theirs is not ours to remove.
      if ((await readLock(path)) === content) await unlink(path).catch(ignoreMissing);
    },
  };
}

/** Makes a file with its content in one step; false if the name is taken. */
async function create(path: string, content: string, token: string): Promise<boolean> {
  const aside = `${path}.${token}`;
  await writeFile(aside, content, { flag: "wx", mode: 0o600 });
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(aside);
  }
}

/** Why an existing lock must be respected; `undefined` if its owner has ended. */
async function problemOf(
  path: string,
  processes: ProcessTable,
  hasFlock: boolean,
): Promise<string | undefined> {
  const content = await readLock(path);
  if (content === undefined) return undefined;
  const owner = parseOwner(content);
  if (owner === undefined) return `${path} is no lock that can be read`;
  const { bootId } = processes.self();
  // On one boot there is one kernel, and its lock is ours now: an owner that held it has ended.
  if (hasFlock && owner.hasFlock && bootId !== "" && owner.bootId === bootId) return undefined;
  const running = processes.isRunning(owner);
  if (running === false) return undefined;
  return running === true
    ? `process ${owner.pid} writes to this log`
    : `${path} was made by process ${owner.pid} of another boot, container or machine (${received(owner.machine)}), which may still run`;
}

async function readLock(path: string): Promise<string | undefined> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return "";
  }
  try {
    const stats = await handle.stat();
    return stats.isFile() && stats.size <= MAX_LOCK_BYTES ? await readFile(handle, "utf8") : "";
  } finally {
    await handle.close();
  }
}

/** The content may be anyone's: whatever is not an owner is in doubt. */
function parseOwner(content: string): WrittenOwner | undefined {
  const parsed = parseBoundedJson(content);
  if (!parsed.allowed || typeof parsed.value !== "object" || parsed.value === null)
    return undefined;
  const { pid, startTime, bootId, pidNamespace, machine, hasFlock } =
    parsed.value as Partial<WrittenOwner>;
  if (!Number.isSafeInteger(pid) || pid === undefined || pid <= 0) return undefined;
  const texts = [startTime, bootId, pidNamespace, machine];
  if (!texts.every((value) => typeof value === "string")) return undefined;
  const [start = "", boot = "", namespace = "", host = ""] = texts;
  return {
    pid,
    startTime: start,
    bootId: boot,
    pidNamespace: namespace,
    machine: host,
    hasFlock: hasFlock === true,
  };
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

function locked(message: string): AuditorError {
  return new AuditorError("AUDITOR_LOCKED", { message });
}
