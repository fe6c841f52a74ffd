/**
 * @module Keys of persons in files: `keys/<pseudonym>` holds a key, wrapped under the store's own,
 * and `people/<name>` says which pseudonym a person has; `<name>` is an HMAC of the person's id, so
 * that the directory lists nobody. One file per person, because what must be destroyed alone must lie
 * alone. A key is condemned by renaming it, and destroyed by overwriting and unlinking it, here and
 * in every copy.
 *
 * Memory is bounded: a cache of the keys in use, and a bounded number that is being written.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";

import { received } from "@glovebox/core/errors";
import { BoundedMap } from "@glovebox/core/flow";

import { AuditorError } from "../errors.ts";
import { MAX_CACHED_SUBJECT_KEYS, MAX_PENDING_SUBJECT_KEYS } from "../limits.ts";
import type { CondemnedKey, SubjectKey, SubjectKeyStore } from "./subject-keys.ts";

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

const WRAPPING_KEY_FILE = "wrapping.key";
const KEYS = "keys";
const PEOPLE = "people";
const CONDEMNED = ".condemned";
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Magic, IV, wrapped key with its tag, and the name under `people`. */
const MAGIC = Buffer.from("gbxkey1\n", "latin1");
const NAME_BYTES = 32;
const FILE_BYTES: number = MAGIC.length + IV_BYTES + KEY_BYTES + TAG_BYTES + NAME_BYTES;
const SUBJECT = /^[A-Za-z0-9_-]{22}$/;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants;
const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

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
  const wrappingKey = options.wrappingKey ?? (await wrappingKeyIn(directory));
  if (wrappingKey.length !== KEY_BYTES) throw broken("the wrapping key has 32 bytes");
  return new SubjectKeyFiles(directory, wrappingKey, options.copies ?? []);
}

class SubjectKeyFiles implements SubjectKeyStore {
  readonly #directory: string;
  readonly #copies: readonly string[];
  readonly #wrappingKey: Uint8Array;
  readonly #nameKey: Uint8Array;
  /** By person. */
  readonly #cache = new BoundedMap<string, Entry>({ capacity: MAX_CACHED_SUBJECT_KEYS });
  /** By person; made, and not yet on the disk. */
  readonly #pending = new Map<string, Entry>();
  #writing: Promise<void> = Promise.resolve();
  #error: AuditorError | undefined;

  constructor(directory: string, wrappingKey: Uint8Array, copies: readonly string[]) {
    this.#directory = directory;
    this.#copies = copies;
    this.#wrappingKey = wrappingKey;
    this.#nameKey = Buffer.from(hkdfSync("sha256", wrappingKey, "", "glovebox people", KEY_BYTES));
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
    // First the name, then the key: a person without a name gets a new key at once.
    this.#cache.delete(person);
    await unlink(join(this.#directory, PEOPLE, entry.name)).catch(ignoreMissing);
    await rename(path, `${path}${CONDEMNED}`);
    await syncDirectories(this.#directory);
    return { subject, fingerprint: fingerprintOf(entry.key) };
  }

  async destroy(subject: string): Promise<void> {
    if (!SUBJECT.test(subject)) throw broken(`no pseudonym: ${received(subject)}`);
    for (const directory of [...this.#copies, this.#directory]) {
      // A copy that cannot be reached fails before the original is gone, so that it is tried again.
      const stats = await lstat(join(directory, KEYS)).catch(() => undefined);
      if (stats?.isDirectory() !== true) throw broken(`${directory} cannot be reached`);
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    for (const [, { key }] of this.#cache) key.fill(0);
    this.#cache.clear();
    this.#error ??= broken("the store is closed");
  }

  #make(person: string): Entry {
    if (this.#pending.size >= MAX_PENDING_SUBJECT_KEYS) {
      throw broken(`${MAX_PENDING_SUBJECT_KEYS} new keys wait to be written`);
    }
    const entry: Entry = {
      subject: randomBytes(16).toString("base64url"),
      key: randomBytes(KEY_BYTES),
      name: this.#nameOf(person),
      durable: undefined,
    };
    this.#pending.set(person, entry);
    const written = this.#writing.then(() => this.#write(entry));
    entry.durable = written.then(() => {
      entry.durable = undefined;
      this.#pending.delete(person);
      this.#cache.set(person, entry);
    });
    // Whoever waits for the event hears of it; nobody else has to.
    entry.durable.catch(() => undefined);
    this.#writing = written.catch((cause: unknown) => {
      this.#error ??= broken("a key could not be written", cause);
    });
    return entry;
  }

  /** First the key, then the name that leads to it. */
  async #write({ subject, key, name }: Entry): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#wrappingKey, iv);
    cipher.setAAD(Buffer.from(subject, "latin1"));
    const wrapped = Buffer.concat([cipher.update(key), cipher.final(), cipher.getAuthTag()]);
    const bytes = Buffer.concat([MAGIC, iv, wrapped, Buffer.from(name, "base64url")]);
    await writeNewFile(join(this.#directory, KEYS, subject), bytes);
    await writeNewFile(join(this.#directory, PEOPLE, name), Buffer.from(subject, "latin1"));
    await syncDirectories(this.#directory);
  }

  #read(subject: string): Entry | undefined {
    const bytes = readSmallFile(join(this.#directory, KEYS, subject));
    if (bytes === undefined) return undefined;
    const entry = this.#unwrap(subject, bytes);
    if (entry === undefined) throw broken(`the key of ${subject} cannot be unwrapped`);
    return entry;
  }

  #unwrap(subject: string, bytes: Buffer): Entry | undefined {
    if (bytes.length !== FILE_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
      return undefined;
    const ivEnd = MAGIC.length + IV_BYTES;
    const keyEnd = ivEnd + KEY_BYTES;
    try {
      const iv = bytes.subarray(MAGIC.length, ivEnd);
      const decipher = createDecipheriv("aes-256-gcm", this.#wrappingKey, iv);
      decipher.setAAD(Buffer.from(subject, "latin1"));
      decipher.setAuthTag(bytes.subarray(keyEnd, keyEnd + TAG_BYTES));
      const key = Buffer.concat([decipher.update(bytes.subarray(ivEnd, keyEnd)), decipher.final()]);
      const name = bytes.subarray(keyEnd + TAG_BYTES).toString("base64url");
      return { subject, key, name, durable: undefined };
    } catch {
      return undefined;
    }
  }

  #nameOf(person: string): string {
    return createHmac("sha256", this.#nameKey).update(person).digest("base64url");
  }
}

/** Of random bytes that nobody can try: shows which key, and nothing of it. */
function fingerprintOf(key: Uint8Array): string {
  return createHmac("sha256", key).update("glovebox key fingerprint").digest("hex").slice(0, 32);
}

async function wrappingKeyIn(directory: string): Promise<Buffer> {
  const path = join(directory, WRAPPING_KEY_FILE);
  const existing = readSmallFile(path);
  if (existing !== undefined) return existing;
  const key = randomBytes(KEY_BYTES);
  await writeNewFile(path, key);
  await syncDirectory(directory);
  return key;
}

/** Small files in a cache of the kernel: reading one costs less than asking for it and waiting. */
function readSmallFile(path: string): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, READ);
    return readFileSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw broken(`${path} cannot be read`, cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  await handle.writeFile(bytes);
  await handle.sync();
}

/** Overwrites the file, and the one under `people` that leads to it, then removes both. */
async function destroyFile(directory: string, subject: string, path: string): Promise<void> {
  let handle;
  try {
    handle = await open(path, constants.O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
    return;
  }
  try {
    const bytes = await handle.readFile();
    const name = join(directory, PEOPLE, bytes.subarray(-NAME_BYTES).toString("base64url"));
    await handle.write(randomBytes(FILE_BYTES), 0, FILE_BYTES, 0);
    await handle.sync();
    // By now the name may lead to a newer key of the same person.
    if (readSmallFile(name)?.toString("latin1") === subject) await unlink(name);
  } finally {
    await handle.close();
  }
  await unlink(path);
}

async function ownDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode, uid } = await lstat(path);
  const self = process.geteuid?.() ?? uid;
  if ((mode & 0o077) !== 0 || uid !== self || (mode & constants.S_IFMT) !== constants.S_IFDIR) {
    const message = `${path} is not a directory that only its owner can use`;
    throw new AuditorError("AUDITOR_DIRECTORY", { message });
  }
}

async function syncDirectories(directory: string): Promise<void> {
  for (const path of [join(directory, KEYS), join(directory, PEOPLE)]) await syncDirectory(path);
}

async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, O_RDONLY);
  await handle.sync();
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

function broken(problem: string, cause?: unknown): AuditorError {
  return new AuditorError("AUDITOR_SUBJECT_KEYS", {
    message: `the keys of persons: ${problem}`,
    cause,
  });
}
