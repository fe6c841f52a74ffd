import { randomBytes } from "node:crypto";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { openSubjectKeyFiles } from "#src/subject/key-files";

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "glovebox-keys-"));
  directory = join(parent, "keys");
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe("the keys of persons", () => {
  test("are the same for one person and others for another, in the next process as well", async () => {
    const store = await openSubjectKeyFiles({ directory });
    const [alice, bob] = [store.obtain("alice"), store.obtain("bob")];
    expect(store.obtain("alice")).toBe(alice);
    expect(alice.subject).not.toBe(bob.subject);
    expect(alice.key).not.toEqual(bob.key);
    await Promise.all([alice.durable, bob.durable]);
    const key = Buffer.from(alice.key);
    await store[Symbol.asyncDispose]();
    await using next = await openSubjectKeyFiles({ directory });
    expect(next.obtain("alice")).toMatchObject({ subject: alice.subject, durable: undefined });
    expect(Buffer.from(next.find("alice")?.key ?? [])).toEqual(key);
    expect(next.findSubject(alice.subject)?.subject).toBe(alice.subject);
    expect(next.find("carol")).toBeUndefined();
  });

  test("stand in files of their owner alone, which name nobody and show no key", async () => {
    await using store = await openSubjectKeyFiles({ directory });
    const alice = store.obtain("alice");
    await alice.durable;
    const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile(),
    );
    expect(files).toHaveLength(4);
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const bytes = await readFile(path);
      expect(`${path} ${bytes.toString("latin1")}`).not.toContain("alice");
      expect(bytes.includes(alice.key)).toBe(false);
    }
  });

  test("are gone from memory when the store is closed", async () => {
    const store = await openSubjectKeyFiles({ directory });
    const { key, durable } = store.obtain("alice");
    await durable;
    await store[Symbol.asyncDispose]();
    expect(key.every((byte) => byte === 0)).toBe(true);
    expect(() => store.obtain("bob")).toThrowCode("AUDITOR_SUBJECT_KEYS");
  });

  test("are not read with another wrapping key, and none is made instead", async () => {
    const wrappingKey = randomBytes(32);
    const store = await openSubjectKeyFiles({ directory, wrappingKey });
    const { subject, durable } = store.obtain("alice");
    await durable;
    await store[Symbol.asyncDispose]();
    const other = { directory, wrappingKey: randomBytes(32) };
    await expect(openSubjectKeyFiles(other)).rejects.toThrowCode("AUDITOR_SUBJECT_KEYS");
    await using same = await openSubjectKeyFiles({ directory, wrappingKey });
    expect(same.find("alice")?.subject).toBe(subject);
  });

  test.each([
    ["cut", (bytes: Buffer) => bytes.subarray(0, 40)],
    ["flipped", (bytes: Buffer) => bytes.map((byte, at) => (at === 30 ? byte ^ 1 : byte))],
    ["empty", () => Buffer.alloc(0)],
  ])("that were %s are an error, not a new person", async (_, damage) => {
    const store = await openSubjectKeyFiles({ directory });
    const { subject, durable } = store.obtain("alice");
    await durable;
    await store[Symbol.asyncDispose]();
    const path = join(directory, "keys", subject);
    await writeFile(path, damage(await readFile(path)));
    await using next = await openSubjectKeyFiles({ directory });
    expect(() => next.obtain("alice")).toThrowCode("AUDITOR_SUBJECT_KEYS");
  });

  test("moved to another person's name are not taken for that person's", async () => {
    const store = await openSubjectKeyFiles({ directory });
    const [alice, bob] = [store.obtain("alice"), store.obtain("bob")];
    await Promise.all([alice.durable, bob.durable]);
    await store[Symbol.asyncDispose]();
    const path = (subject: string): string => join(directory, "keys", subject);
    await writeFile(path(alice.subject), await readFile(path(bob.subject)));
    await using next = await openSubjectKeyFiles({ directory });
    expect(() => next.find("alice")).toThrowCode("AUDITOR_SUBJECT_KEYS");
  });

  test("wait in a bounded queue: a flood of invented persons is refused", async () => {
    await using store = await openSubjectKeyFiles({ directory });
    const made: Promise<unknown>[] = [];
    const flood = (): void => {
      for (let n = 0; n < 5_000; n += 1)
        made.push(store.obtain(`person-${n}`).durable ?? Promise.resolve());
    };
    expect(flood).toThrowCode("AUDITOR_SUBJECT_KEYS");
    expect(made).toHaveLength(4_096);
    await rm(directory, { recursive: true });
    await Promise.allSettled(made);
  });

  test("that cannot be written break the store, and the event that needed one is not durable", async () => {
    await using store = await openSubjectKeyFiles({ directory });
    await rm(join(directory, "keys"), { recursive: true });
    await expect(store.obtain("alice").durable).rejects.toThrow("ENOENT");
    await expect
      .poll(() => {
        try {
          return store.obtain("bob").subject;
        } catch (error) {
          return (error as { code?: string }).code;
        }
      })
      .toBe("AUDITOR_SUBJECT_KEYS");
  });
});

describe("a directory of keys", () => {
  test.each([0o755, 0o770, 0o707])("of mode %o is refused", async (mode) => {
    await mkdir(directory);
    await chmod(directory, mode);
    await expect(openSubjectKeyFiles({ directory })).rejects.toThrowCode("AUDITOR_DIRECTORY");
  });

  test("that is a link is refused", async () => {
    const elsewhere = join(parent, "elsewhere");
    await mkdir(elsewhere, { mode: 0o700 });
    await symlink(elsewhere, directory);
    await expect(openSubjectKeyFiles({ directory })).rejects.toThrowCode("AUDITOR_DIRECTORY");
  });

  test("does not follow a link in place of a key", async () => {
    const store = await openSubjectKeyFiles({ directory });
    const { subject, durable } = store.obtain("alice");
    await durable;
    await store[Symbol.asyncDispose]();
    const path = join(directory, "keys", subject);
    await rm(path);
    await symlink("/dev/zero", path);
    await using next = await openSubjectKeyFiles({ directory });
    expect(() => next.find("alice")).toThrowCode("AUDITOR_SUBJECT_KEYS");
  });

  test.each([31, 0])("with a wrapping key of %i bytes is refused", async (length) => {
    const wrappingKey = new Uint8Array(length);
    await expect(openSubjectKeyFiles({ directory, wrappingKey })).rejects.toThrowCode(
      "AUDITOR_SUBJECT_KEYS",
    );
  });
});
