/**
 * @module The modules of sleeping plugins, as files named by their SHA-256 in a folder that nobody
 * else can enter: thousands of plugins then cost the host no memory. What is read back is believed
 * only when its digest is the one that was loaded first; who can write the folder gains nothing.
 */
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sha256InTurns } from "@glovebox/core/ids";

import { SandboxError } from "../errors.ts";
import { SYNC_READ_BYTES } from "../limits.ts";

/** Without following links, and without waiting should it be a pipe by now. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What identifies a module: its digest, in hexadecimal, and its size in bytes. */
export interface ModuleKey {
  readonly digest: string;
  readonly bytes: number;
}

/** The key of a module, whose bytes must not change meanwhile. */
export async function moduleKey(bytes: Uint8Array): Promise<ModuleKey> {
  return { digest: await sha256InTurns(bytes), bytes: bytes.length };
}

/** Files by digest, each for as long as a plugin wants it. */
export class ModuleStore {
  readonly #users = new Map<string, number>();
  readonly #written = new Map<string, Promise<void>>();
  #folder: string | undefined;
  #isClosed = false;

  /** The folder; made when the first plugin falls asleep. */
  get folder(): string {
    if (this.#folder === undefined) {
      this.#folder = mkdtempSync(join(tmpdir(), "glovebox-modules-"));
      process.once("exit", this.#removeFolder);
    }
    return this.#folder;
  }

  /** Keeps a module for one more plugin; rejects when it cannot be written. */
  async keep({ digest }: ModuleKey, bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) throw new SandboxError("SANDBOX_CLOSED");
    this.#users.set(digest, (this.#users.get(digest) ?? 0) + 1);
    try {
      let written = this.#written.get(digest);
      if (written === undefined) {
        written = writeFile(this.#path(digest), bytes, { mode: 0o600, flag: "wx" });
        this.#written.set(digest, written);
      }
      await written;
    } catch (error) {
      await this.drop({ digest });
      throw error;
    }
  }

  /** One plugin fewer wants the module; the last one's leaving removes it. */
  async drop({ digest }: Pick<ModuleKey, "digest">): Promise<void> {
    const users = (this.#users.get(digest) ?? 0) - 1;
    if (users > 0) {
      this.#users.set(digest, users);
      return;
    }
    this.#users.delete(digest);
    this.#written.delete(digest);
    if (this.#folder === undefined) return;
    await rm(this.#path(digest), { force: true });
  }

  /**
   * A module's bytes, just as they were.
   *
   * @throws {@link SandboxError} (`SANDBOX_MODULE_CHANGED`)
   */
  async read(key: ModuleKey): Promise<Uint8Array> {
    const path = this.#path(key.digest);
    let bytes: Uint8Array | undefined;
    try {
      bytes = key.bytes <= SYNC_READ_BYTES ? readNow(path, key.bytes) : await read(path, key.bytes);
    } catch (cause) {
      throw changed(key, cause);
    }
    if (bytes === undefined || (await sha256InTurns(bytes)) !== key.digest) throw changed(key);
    return bytes;
  }

  /** Removes everything, once what is being written is written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#written.values());
    process.off("exit", this.#removeFolder);
    this.#removeFolder();
  }

  #path(digest: string): string {
    return join(this.folder, digest);
  }

  readonly #removeFolder = (): void => {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  };
}

/** The bytes of a file of exactly this size. */
function readNow(path: string, size: number): Uint8Array | undefined {
  const descriptor = openSync(path, READ);
  try {
    if (fstatSync(descriptor).size !== size) return undefined;
    const bytes = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const part = readSync(descriptor, bytes, at, size - at, at);
      if (part === 0) return undefined;
      at += part;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

async function read(path: string, size: number): Promise<Uint8Array | undefined> {
  await using file = await open(path, READ);
  if ((await file.stat()).size !== size) return undefined;
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, size - at, at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  return bytes;
}

function changed({ digest }: ModuleKey, cause?: unknown): SandboxError {
  return new SandboxError("SANDBOX_MODULE_CHANGED", { details: { digest }, cause });
}
