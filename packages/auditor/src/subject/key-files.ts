/**
 * @module Keys of persons in files: `keys/<pseudonym>` holds a key, wrapped under the store's own,
 * and `people/<name>` says which pseudonym a person has; `<name>` is an HMAC of the person's id, so
 * that the directory lists nobody. One file per person, because what must be destroyed alone must lie
 * alone. A key is condemned by renaming it, and destroyed by overwriting and unlinking it, here and
 * in every copy.
 *
 * Memory is bounded: a cache of the keys in use, and a bounded number that is being written.
 */
import { createHmac, randomBytes } from "node:crypto";
import { lstat, readdir, readFile, rename } from "node:fs/promises";
import { join, resolve } from "node:path";

import { received } from "@glovebox/core/errors";
import { BoundedMap } from "@glovebox/core/flow";

import type { AuditorError } from "../errors.ts";
import { MAX_CACHED_SUBJECT_KEYS, MAX_PENDING_SUBJECT_KEYS } from "../limits.ts";
import { createMutex, type Mutex } from "../mutex.ts";
import {
  brokenKeys,
  overwriteFile,
  ownDirectory,
  readSmallFile,
  removeFile,
  syncDirectory,
  writeNewFile,
} from "./key-directory.ts";
import type { CondemnedKey, SubjectKey, SubjectKeyStore } from "./subject-keys.ts";
import { KEY_BYTES, nameIn, unwrapKey, wrapKey } from "./wrapped-key.ts";
import {
  CONDEMNED,
  KEYS,
  nextWrappingKey,
  openNamesKey,
  openWrappingKeys,
  retireWrappingKey,
  rewrapDirectory,
  type WrappingKeys,
} from "./wrapping-key.ts";

/** Where the keys are. */
export interface SubjectKeyFilesOptions {
  /** A directory that belongs to the store alone, beside the log and not within; made with mode 0700. */
  readonly directory: string;
  /**
   * The key that wraps all others, 32 bytes. Default: `wrapping.key` in the directory, made when it
   * does not exist; give one from a secret store to keep it apart.
   */
  readonly wrappingKey?: Uint8Array;
  /** Directories that hold copies of this one, such as restored backups; erasing reaches them, too. */
  readonly copies?: readonly string[];
}

const PEOPLE = "people";
const SUBJECT = /^[A-Za-z0-9_-]{22}$/;

interface Entry {
  readonly subject: string;
  readonly key: Buffer;
  readonly name: string;
  durable: Promise<void> | undefined;
}

/**
 * Opens the store in a directory, or makes one.
 *
 * @throws {@link AuditorError} (`AUDITOR_DIRECTORY`, `AUDITOR_SUBJECT_KEYS`)
 */
export async function openSubjectKeyFiles(
  options: SubjectKeyFilesOptions,
): Promise<SubjectKeyStore> {
  const directory = resolve(options.directory);
  for (const path of [directory, join(directory, KEYS), join(directory, PEOPLE)]) {
    await ownDirectory(path);
  }
  const wrapping = await openWrappingKeys(directory, options.wrappingKey);
  const namesKey = await openNamesKey(directory, wrapping);
  return new SubjectKeyFiles(directory, wrapping, namesKey, options.copies ?? []);
}

class SubjectKeyFiles implements SubjectKeyStore {
  readonly #directory: string;
  readonly #copies: readonly string[];
  readonly #namesKey: Uint8Array;
  /** By person. */
  readonly #cache = new BoundedMap<string, Entry>({ capacity: MAX_CACHED_SUBJECT_KEYS });
  /** By person; made, and not yet on the disk. */
  readonly #pending = new Map<string, Entry>();
  /** Whatever changes the directory; a key that is erased while all are wrapped anew must not return. */
  readonly #exclusive: Mutex = createMutex();
  #wrapping: WrappingKeys;
  #error: AuditorError | undefined;

  constructor(
    directory: string,
    wrapping: WrappingKeys,
    namesKey: Uint8Array,
    copies: readonly string[],
  ) {
    this.#directory = directory;
    this.#copies = copies;
    this.#wrapping = wrapping;
    this.#namesKey = namesKey;
  }

  get isRewrapping(): boolean {
    return this.#wrapping.keys.length > 1;
  }

  obtain(person: string): SubjectKey {
    return this.find(person) ?? this.#make(person);
  }

  find(person: string): Entry | undefined {
    if (this.#error !== undefined) throw this.#error;
    const known = this.#cache.get(person) ?? this.#pending.get(person);
    if (known !== undefined) return known;
    const subject = readSmallFile(join(this.#directory, PEOPLE, this.#nameOf(person)));
    // A name can outlive its key by a moment: then the person has none.
    const entry = subject && this.findSubject(subject.toString("latin1"));
    if (entry !== undefined) this.#cache.set(person, entry);
    return entry;
  }

  findSubject(subject: string): Entry | undefined {
    if (this.#error !== undefined) throw this.#error;
    for (const entry of this.#pending.values()) if (entry.subject === subject) return entry;
    return SUBJECT.test(subject) ? this.#read(subject) : undefined;
  }

  async condemn(person: string): Promise<CondemnedKey | undefined> {
    const entry = this.find(person);
    if (entry === undefined) return undefined;
    await entry.durable;
    const { subject } = entry;
    const path = join(this.#directory, KEYS, subject);
    return this.#exclusive(async () => {
      // First the name, then the key: a person without a name gets a new key at once.
      this.#cache.delete(person);
      await removeFile(join(this.#directory, PEOPLE, entry.name));
      await rename(path, `${path}${CONDEMNED}`);
      await syncDirectories(this.#directory);
      return { subject, fingerprint: fingerprintOf(entry.key) };
    });
  }

  async destroy(subject: string): Promise<void> {
    if (!SUBJECT.test(subject)) throw brokenKeys(`no pseudonym: ${received(subject)}`);
    await this.#exclusive(() => this.#destroyEverywhere(subject));
  }

  async #destroyEverywhere(subject: string): Promise<void> {
    for (const directory of [...this.#copies, this.#directory]) {
      // A copy that cannot be reached fails before the original is gone, so that it is tried again.
      const stats = await lstat(join(directory, KEYS)).catch(() => undefined);
      if (stats?.isDirectory() !== true) throw brokenKeys(`${directory} cannot be reached`);
      const path = join(directory, KEYS, subject);
      for (const file of [path, `${path}${CONDEMNED}`]) await destroyFile(directory, subject, file);
      await syncDirectories(directory);
    }
  }

  async condemned(): Promise<readonly CondemnedKey[]> {
    const found: CondemnedKey[] = [];
    for (const name of await readdir(join(this.#directory, KEYS))) {
      if (!name.endsWith(CONDEMNED)) continue;
      const subject = name.slice(0, -CONDEMNED.length);
      const key = this.#unwrap(subject, await readFile(join(this.#directory, KEYS, name)))?.key;
      found.push({ subject, fingerprint: key === undefined ? "" : fingerprintOf(key) });
    }
    return found;
  }

  async rewrap(wrappingKey?: Uint8Array): Promise<number> {
    return this.#exclusive(async () => {
      if (this.#error !== undefined) throw this.#error;
      const before = this.#wrapping;
      const isOwn = wrappingKey === undefined;
      const to = await nextWrappingKey(this.#directory, before.isOwn, wrappingKey);
      // From here on new keys are under the new one, and all are found.
      this.#wrapping = { keys: [to, ...before.keys], isOwn };
      let count = 0;
      for (const directory of [...this.#copies, this.#directory]) {
        count = await rewrapDirectory(directory, before.keys, to);
      }
      for (const directory of [...this.#copies, this.#directory]) {
        await retireWrappingKey(directory, to, isOwn);
      }
      this.#wrapping = { keys: [to], isOwn };
      return count;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exclusive(async () => undefined);
    for (const [, { key }] of this.#cache) key.fill(0);
    this.#cache.clear();
    this.#error ??= brokenKeys("the store is closed");
  }

  #make(person: string): Entry {
    if (this.#pending.size >= MAX_PENDING_SUBJECT_KEYS) {
      throw brokenKeys(`${MAX_PENDING_SUBJECT_KEYS} new keys wait to be written`);
    }
    const entry: Entry = {
      subject: randomBytes(16).toString("base64url"),
      key: randomBytes(KEY_BYTES),
      name: this.#nameOf(person),
      durable: undefined,
    };
    this.#pending.set(person, entry);
    const written = this.#exclusive(() => this.#write(entry));
    entry.durable = written.then(() => {
      entry.durable = undefined;
      this.#pending.delete(person);
      this.#cache.set(person, entry);
    });
    // Whoever waits for the event hears of it; nobody else has to.
    entry.durable.catch(() => undefined);
    written.catch((cause: unknown) => {
      this.#error ??= brokenKeys("a key could not be written", cause);
    });
    return entry;
  }

  /** First the key, then the name that leads to it. */
  async #write({ subject, key, name }: Entry): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    const bytes = wrapKey(subject, { key, name }, this.#wrapping.keys[0]);
    await writeNewFile(join(this.#directory, KEYS, subject), bytes);
    await writeNewFile(join(this.#directory, PEOPLE, name), Buffer.from(subject, "latin1"));
    await syncDirectories(this.#directory);
  }

  #read(subject: string): Entry | undefined {
    const bytes = readSmallFile(join(this.#directory, KEYS, subject));
    if (bytes === undefined) return undefined;
    const entry = this.#unwrap(subject, bytes);
    if (entry === undefined) throw brokenKeys(`the key of ${subject} cannot be unwrapped`);
    return entry;
  }

  #unwrap(subject: string, bytes: Buffer): Entry | undefined {
    const found = unwrapKey(subject, bytes, this.#wrapping.keys);
    return found && { ...found, subject, durable: undefined };
  }

  #nameOf(person: string): string {
    return createHmac("sha256", this.#namesKey).update(person).digest("base64url");
  }
}

/** Of random bytes that nobody can try: shows which key, and nothing of it. */
function fingerprintOf(key: Uint8Array): string {
  return createHmac("sha256", key).update("glovebox key fingerprint").digest("hex").slice(0, 32);
}

/** Overwrites the file, and removes it with the one under `people` that leads to it. */
async function destroyFile(directory: string, subject: string, path: string): Promise<void> {
  const bytes = await overwriteFile(path);
  if (bytes === undefined) return;
  const name = join(directory, PEOPLE, nameIn(bytes));
  // By now the name may lead to a newer key of the same person.
  if (readSmallFile(name)?.toString("latin1") === subject) await removeFile(name);
  await removeFile(path);
}

async function syncDirectories(directory: string): Promise<void> {
  for (const path of [join(directory, KEYS), join(directory, PEOPLE)]) await syncDirectory(path);
}
