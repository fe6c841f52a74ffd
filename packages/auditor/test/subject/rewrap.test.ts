/** Rotating the key that wraps the keys of persons; a process may end at any file of it. */
import { randomBytes } from "node:crypto";
import { cp, link, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { openSubjectKeyFiles, type SubjectKeyFilesOptions } from "#src/subject/key-files";

import { event } from "../fixture.ts";
import { testTrail } from "../trail.ts";

const PEOPLE = ["alice", "bob", "carol"];
const REQUEST = { reason: "yearly", actor: "operator:dpo" };

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "glovebox-rewrap-"));
  directory = join(parent, "keys");
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const wrappingKey = (at = directory): Promise<Buffer> => readFile(join(at, "wrapping.key"));

async function keysOf(options: SubjectKeyFilesOptions): Promise<readonly string[]> {
  await using store = await openSubjectKeyFiles(options);
  return PEOPLE.map((person) => {
    const found = store.find(person);
    return `${found?.subject} ${Buffer.from(found?.key ?? []).toString("hex")}`;
  });
}

async function written(options: Partial<SubjectKeyFilesOptions> = {}): Promise<readonly string[]> {
  const store = await openSubjectKeyFiles({ directory, ...options });
  for (const person of PEOPLE) await store.obtain(person).durable;
  await store[Symbol.asyncDispose]();
  return keysOf({ directory, ...options });
}

/** Every file below a directory, by path. */
async function filesBelow(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(file.slice(path.length + 1), await readFile(file));
  }
  return files;
}

describe("a rotation", () => {
  test("leaves every person as it was, and the old key opens nothing and lies nowhere", async () => {
    const before = await written();
    const old = await wrappingKey();
    const backup = join(parent, "backup");
    await cp(directory, backup, { recursive: true });
    {
      await using store = await openSubjectKeyFiles({ directory, copies: [backup] });
      const condemned = await store.condemn("carol");
      expect(await store.rewrap?.()).toBe(PEOPLE.length);
      expect(await store.condemned()).toEqual([condemned]);
      expect(store.isRewrapping).toBe(false);
      expect(store.obtain("dave").durable).toBeDefined();
    }
    const [alice, bob] = before;
    expect((await keysOf({ directory })).slice(0, 2)).toEqual([alice, bob]);
    expect(await keysOf({ directory: backup })).toEqual(before);
    expect(await wrappingKey()).toEqual(await wrappingKey(backup));
    for (const path of [directory, backup]) {
      for (const bytes of (await filesBelow(path)).values())
        expect(bytes.includes(old)).toBe(false);
      await expect(openSubjectKeyFiles({ directory: path, wrappingKey: old })).rejects.toThrowCode(
        "AUDITOR_SUBJECT_KEYS",
      );
    }
  });

  test("to a key from a secret store takes the one in the directory away", async () => {
    const before = await written();
    const next = randomBytes(32);
    {
      await using store = await openSubjectKeyFiles({ directory });
      await store.rewrap?.(next);
    }
    expect([...(await filesBelow(directory)).keys()]).not.toContain("wrapping.key");
    expect(await keysOf({ directory, wrappingKey: next })).toEqual(before);
    // Without it, a new one would make strangers of everybody.
    await expect(openSubjectKeyFiles({ directory })).rejects.toThrowCode("AUDITOR_SUBJECT_KEYS");
  });

  test("from a key that was given needs the next one", async () => {
    await using store = await openSubjectKeyFiles({ directory, wrappingKey: randomBytes(32) });
    await expect(store.rewrap?.()).rejects.toThrowCode("AUDITOR_SUBJECT_KEYS");
    await expect(store.rewrap?.(randomBytes(31))).rejects.toThrowCode("AUDITOR_SUBJECT_KEYS");
  });

  test("does not bring back a person who is erased while it runs", async () => {
    await using store = await openSubjectKeyFiles({ directory });
    const people = Array.from({ length: 30 }, (_, n) => `person-${n}`);
    for (const person of people) await store.obtain(person).durable;
    const rotating = store.rewrap?.();
    // One after the other, so that some meet it in the middle.
    for (const person of people) await store.condemn(person);
    expect(await rotating).toBe(people.length);
    const names = await readdir(join(directory, "keys"));
    expect(names.filter((name) => !name.endsWith(".condemned"))).toEqual([]);
    for (const { subject } of await store.condemned()) await store.destroy(subject);
    expect(people.map((person) => store.find(person))).toEqual(people.map(() => undefined));
    expect(await readdir(join(directory, "keys"))).toEqual([]);
  });

  test("overwrites the old key before its name goes: another name of the file shows nothing", async () => {
    await written();
    const old = await wrappingKey();
    await link(join(directory, "wrapping.key"), join(parent, "second"));
    await using store = await openSubjectKeyFiles({ directory });
    await store.rewrap?.();
    expect((await readFile(join(parent, "second"))).equals(old)).toBe(false);
  });

  test("that meets a key which it cannot unwrap destroys nothing", async () => {
    await written();
    const [name = ""] = await readdir(join(directory, "keys"));
    await writeFile(join(directory, "keys", name), "damaged");
    const old = await wrappingKey();
    await using store = await openSubjectKeyFiles({ directory });
    await expect(store.rewrap?.()).rejects.toThrowCode("AUDITOR_SUBJECT_KEYS");
    expect(await wrappingKey()).toEqual(old);
  });
});

test("a process may end at any file: both keys are there, and the next one goes on", async () => {
  const people = await written();
  const next = randomBytes(32);
  await writeFile(join(directory, "wrapping.next"), next);
  const before = await filesBelow(directory);
  const old = await wrappingKey();
  {
    await using store = await openSubjectKeyFiles({ directory });
    expect(store.isRewrapping).toBe(true);
    await store.rewrap?.();
  }
  const after = await filesBelow(directory);
  // In the order of the rotation: keys, the key of names, the old wrapping key, the next one's name.
  const changed = [...before.keys()]
    .filter((file) => /^(?:keys\/|names)/.test(file))
    .toSorted((a, b) => Number(a.startsWith("names")) - Number(b.startsWith("names")));
  expect(changed).toHaveLength(PEOPLE.length + 1);
  for (let done = 0; done <= changed.length + 1; done += 1) {
    const state = new Map(before);
    for (const file of changed.slice(0, done)) state.set(file, after.get(file) ?? Buffer.alloc(0));
    const torn = changed[done];
    if (torn?.startsWith("keys/") === true) state.set(`${torn}.tmp`, Buffer.from("torn"));
    if (done > changed.length) state.set("wrapping.key", randomBytes(32));
    const at = join(parent, `ended-${done}`);
    await cp(directory, at, { recursive: true });
    for (const [file, bytes] of state) await writeFile(join(at, file), bytes);
    expect(await keysOf({ directory: at })).toEqual(people);
    {
      await using store = await openSubjectKeyFiles({ directory: at });
      expect(store.isRewrapping).toBe(true);
      await store.rewrap?.();
    }
    expect(await keysOf({ directory: at })).toEqual(people);
    const files = await filesBelow(at);
    expect([...files.keys()].toSorted()).toEqual([...after.keys()].toSorted());
    for (const bytes of files.values()) expect(bytes.includes(old)).toBe(false);
  }
});

test("a store whose key of names is gone is refused: it would make strangers of everybody", async () => {
  await written();
  await rm(join(directory, "names.key"));
  await expect(openSubjectKeyFiles({ directory })).rejects.toThrowCode("AUDITOR_SUBJECT_KEYS");
});

describe("in the log", () => {
  test("a rotation is said before and after, with who and why", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("call", { userId: "alice" }));
    await t.keys.obtain("alice").durable;
    const rotated = await t.trail.erasure.rotateWrappingKey(REQUEST);
    expect(rotated).toMatchObject({ allowed: true, value: { rewrapped: 1 } });
    const said = (await t.events()).filter(({ kind }) => kind === "key");
    expect(said.map(({ rule, actor, details }) => [rule, actor, details])).toEqual([
      ["key.rewrap.begin", "operator:dpo", { reason: "yearly" }],
      ["key.rewrap.end", "operator:dpo", { reason: "yearly", rewrapped: 1 }],
    ]);
    const found = await t.trail.erasure.exportPerson("alice", REQUEST);
    expect(found.allowed).toBe(true);
  });

  test("one that a process died in is finished, and said, by the next", async () => {
    await using t = await testTrail();
    await t.trail.close();
    const store = join(t.directory, "keys");
    await t.keys[Symbol.asyncDispose]();
    await writeFile(join(store, "wrapping.next"), randomBytes(32));
    await using keys = await openSubjectKeyFiles({ directory: store });
    const next = await t.reopen({}, keys);
    expect(keys.isRewrapping).toBe(false);
    expect((await t.events()).map(({ rule }) => rule)).toContain("key.rewrap.end");
    await next.close();
  });

  test("one that fails is said to have failed", async () => {
    await using t = await testTrail();
    const refused = await t.trail.erasure.rotateWrappingKey(REQUEST, randomBytes(3));
    expect(refused).toRefuse("AUDITOR_SUBJECT_KEYS");
    expect((await t.events()).at(-1)).toMatchObject({ rule: "key.rewrap.end", success: false });
  });
});
