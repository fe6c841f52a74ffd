/**
 * @module One writer per log. Two would write two lines of one index, which is the worst that can
 * happen to a log, so that whoever cannot be sure to be alone is refused. The lock is a file that
 * appears whole (written aside, then linked), and a stale one is taken over only under a second lock,
 * for otherwise two takers could each remove what the other had just made.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { link, open, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { received } from "@glovebox/core/errors";
import { canonicalJson, parseBoundedJson } from "@glovebox/core/json";

import { AuditorError } from "../errors.ts";
import { MAX_LOCK_BYTES } from "../limits.ts";
import type { LockOwner, ProcessTable } from "./lock-owner.ts";

/** The lock in the log's directory. */
export const LOCK_FILE = "audit.lock";
const TAKEOVER_FILE = "audit.lock.takeover";

/** A held lock. */
export interface WriterLock {
  /** Whether an earlier writer had ended without letting go. */
  readonly tookOver: boolean;
  release(): Promise<void>;
}

/**
 * Takes the lock of a directory.
 *
 * @throws {@link AuditorError} (`AUDITOR_LOCKED`)
 */
export async function acquireLock(directory: string, processes: ProcessTable): Promise<WriterLock> {
  const path = join(directory, LOCK_FILE);
  const token = randomUUID();
  const content = canonicalJson({ ...processes.self(), token });
  if (await create(path, content, token)) return held(path, content, false);
  const takeover = join(directory, TAKEOVER_FILE);
  if (!(await create(takeover, content, token))) {
    throw locked(`${takeover} exists: another process is taking over, or ended while it did`);
  }
  try {
    const problem = await problemOf(path, processes);
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
async function problemOf(path: string, processes: ProcessTable): Promise<string | undefined> {
  const content = await readLock(path);
  if (content === undefined) return undefined;
  const owner = parseOwner(content);
  if (owner === undefined) return `${path} is no lock that can be read`;
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
function parseOwner(content: string): LockOwner | undefined {
  const parsed = parseBoundedJson(content);
  if (!parsed.allowed || typeof parsed.value !== "object" || parsed.value === null)
    return undefined;
  const { pid, startTime, bootId, pidNamespace, machine } = parsed.value as Partial<LockOwner>;
  if (!Number.isSafeInteger(pid) || pid === undefined || pid <= 0) return undefined;
  const texts = [startTime, bootId, pidNamespace, machine];
  if (!texts.every((value) => typeof value === "string")) return undefined;
  const [start = "", boot = "", namespace = "", host = ""] = texts;
  return { pid, startTime: start, bootId: boot, pidNamespace: namespace, machine: host };
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

function locked(message: string): AuditorError {
  return new AuditorError("AUDITOR_LOCKED", { message });
}
