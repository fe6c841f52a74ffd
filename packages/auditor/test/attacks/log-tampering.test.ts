/**
 * Whoever can write to the directory flips, cuts, swaps, doubles, inserts, deletes; or replaces all of
 * it: rolled back, forked, signed with another key. Each is found and named, the last three given an
 * anchor.
 */
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type AuditFinding, verifyAuditLog } from "@glovebox/auditor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type LogDirectory, newSigner, ORIGIN, SIGNER, writtenLog } from "../fixture.ts";

const SIZE = 66_000; // two tiles of level 1
let original: LogDirectory;

beforeAll(async () => {
  original = await writtenLog(SIZE);
});
afterAll(() => original[Symbol.asyncDispose]());

type Change = (path: (name: string) => string) => Promise<void>;

async function flip(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  await replace(path, bytes);
}

async function replace(path: string, content: string | Uint8Array): Promise<void> {
  await rm(path);
  await writeFile(path, content, { mode: 0o600 });
}

async function swap(one: string, two: string): Promise<void> {
  await rename(one, `${one}.aside`);
  await rename(two, one);
  await rename(`${one}.aside`, two);
}

/** Entries have 2 bytes of length and 7 to 11 of text. */
const CHANGES: Readonly<Record<string, readonly [Change, AuditFinding, number]>> = {
  "a bit of an entry flipped": [(path) => flip(path("tile/entries/003"), 5), "INVALID", 768],
  "a bit of the last entry flipped": [
    async (path) => {
      const file = path("tile/entries/257.p/208");
      await flip(file, (await readFile(file)).length - 1);
    },
    "INVALID",
    SIZE - 1,
  ],
  "a length changed": [(path) => flip(path("tile/entries/003"), 1), "INVALID", 768],
  "a bit of an entry's hash flipped": [(path) => flip(path("tile/0/003"), 32 * 7), "INVALID", 775],
  "a bit of a tile's hash flipped": [
    (path) => flip(path("tile/1/000"), 32 * 9),
    "INVALID",
    9 * 256,
  ],
  "a bit of a tile of tiles flipped": [(path) => flip(path("tile/2/000.p/1"), 0), "INVALID", 0],
  "a bundle cut within an entry": [(path) => cutBy(path("tile/entries/003"), 3), "INVALID", 1023],
  "a bundle cut after an entry": [
    async (path) =>
      truncate(path("tile/entries/003"), (await readFile(path("tile/entries/003"))).length - 12),
    "MISSING",
    1023,
  ],
  "a bundle emptied": [(path) => truncate(path("tile/entries/003"), 0), "MISSING", 768],
  "a tile cut": [(path) => cutBy(path("tile/0/003"), 32), "INVALID", 1023],
  "a bundle deleted": [(path) => rm(path("tile/entries/003")), "MISSING", 768],
  "a tile deleted": [(path) => rm(path("tile/0/003")), "MISSING", 768],
  "a tile of tiles deleted": [(path) => rm(path("tile/1/000")), "MISSING", 0],
  "the end deleted": [(path) => rm(path("tile/entries/257.p/208")), "MISSING", 257 * 256],
  "two bundles swapped": [
    (path) => swap(path("tile/entries/003"), path("tile/entries/005")),
    "INVALID",
    768,
  ],
  "two bundles swapped with their tiles": [
    async (path) => {
      await swap(path("tile/entries/003"), path("tile/entries/005"));
      await swap(path("tile/0/003"), path("tile/0/005"));
    },
    "INVALID",
    768,
  ],
  "an entry doubled": [
    async (path) => {
      const bytes = await readFile(path("tile/entries/003"));
      await replace(path("tile/entries/003"), Buffer.concat([bytes.subarray(0, 11), bytes]));
    },
    "INVALID",
    769,
  ],
  "an entry deleted": [
    async (path) =>
      replace(path("tile/entries/003"), (await readFile(path("tile/entries/003"))).subarray(11)),
    "INVALID",
    768,
  ],
  "bytes after a bundle": [
    async (path) =>
      replace(
        path("tile/entries/003"),
        Buffer.concat([await readFile(path("tile/entries/003")), Buffer.of(0, 0)]),
      ),
    "INVALID",
    1023,
  ],
  "the checkpoint's size edited": [
    (path) => edit(path("checkpoint"), String(SIZE), "65999"),
    "INVALID",
    0,
  ],
  "the checkpoint's root edited": [
    (path) => edit(path("checkpoint"), /\n(.)(.*=)\n/, "\n$2$1=\n"),
    "INVALID",
    0,
  ],
  "the checkpoint's signature edited": [
    (path) => edit(path("checkpoint"), /....\n$/, "AAA=\n"),
    "INVALID",
    0,
  ],
  "the checkpoint emptied": [(path) => replace(path("checkpoint"), ""), "INVALID", 0],
  "the checkpoint deleted": [(path) => rm(path("checkpoint")), "MISSING", 0],
  "the key deleted": [(path) => rm(path("keys/000")), "INVALID", 0],
  "a minimum index forged": [(path) => writeFile(path("minimum-index"), "0\n"), "INVALID", 0],
};

async function cutBy(path: string, bytes: number): Promise<void> {
  await truncate(path, (await readFile(path)).length - bytes);
}

async function edit(path: string, from: string | RegExp, to: string): Promise<void> {
  await replace(path, (await readFile(path, "utf8")).replace(from, to));
}

async function copy(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = `${original.path}-${Math.random()}`;
  await cp(original.path, path, { recursive: true });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("the log that is tampered with is whole before", async () => {
  expect(await verifyAuditLog(original.path)).toMatchObject({
    ok: true,
    fresh: false,
    size: SIZE,
    kind: null,
  });
  expect(await readdir(join(original.path, "tile"))).toEqual(["0", "1", "2", "entries"]);
});

describe("names what was done:", () => {
  test.each(Object.keys(CHANGES))("%s", async (name) => {
    await using log = await copy();
    const [change, kind, index] = CHANGES[name] ?? [];
    await change?.((file) => join(log.path, file));
    const report = await verifyAuditLog(log.path);
    expect(report).toMatchObject({ ok: false, fresh: false, kind, firstBadIndex: index });
  });
});

describe("given an anchor, finds", () => {
  test("nothing in the log itself, at its size and at a smaller one", async () => {
    await using smaller = await writtenLog(300);
    const since = await smaller.checkpoint();
    expect(await verifyAuditLog(original.path, { since })).toMatchObject({ ok: true, fresh: true });
    expect(
      await verifyAuditLog(original.path, { since: await original.checkpoint() }),
    ).toMatchObject({ ok: true, fresh: true });
  });

  test("a log that was rolled back", async () => {
    await using smaller = await writtenLog(300);
    const since = await original.checkpoint();
    expect(await verifyAuditLog(smaller.path)).toMatchObject({ ok: true, fresh: false });
    expect(await verifyAuditLog(smaller.path, { since })).toMatchObject({
      ok: false,
      kind: "ROLLBACK",
      firstBadIndex: 300,
    });
  });

  test("a log that was forked by the owner of its key", async () => {
    await using other = await forkedLog();
    const since = await (await writtenLog(300)).checkpoint();
    expect(await verifyAuditLog(other.path)).toMatchObject({ ok: true });
    expect(await verifyAuditLog(other.path, { since })).toMatchObject({
      ok: false,
      kind: "DIVERGED",
      firstBadIndex: 299,
    });
  });

  test("a log that was made again with another key", async () => {
    const stranger = newSigner();
    await using other = await writtenLog(0);
    await rm(other.path, { recursive: true });
    const log = await other.openLog({ signers: [stranger] });
    for (let index = 0; index < 400; index += 1) await log.append(`entry ${index}`);
    await log.close();
    const since = await (await writtenLog(300)).checkpoint();
    expect(await verifyAuditLog(other.path)).toMatchObject({ ok: true });
    expect(await verifyAuditLog(other.path, { since })).toMatchObject({
      ok: false,
      kind: "DIVERGED",
    });
    expect(await verifyAuditLog(other.path, { key: SIGNER.vkey })).toMatchObject({
      ok: false,
      kind: "DIVERGED",
    });
    const policy = `log ${SIGNER.vkey}\nquorum none\n`;
    expect(await verifyAuditLog(other.path, { policy })).toMatchObject({
      ok: false,
      kind: "DIVERGED",
    });
    expect(await verifyAuditLog(original.path, { policy })).toMatchObject({ ok: true });
  });

  test("a stranger's key that only claims to continue the log's", async () => {
    const stranger = newSigner();
    await using other = await writtenLog(300);
    const since = await other.checkpoint();
    await rm(other.path, { recursive: true });
    // The stranger's log names the true key as one that it endorsed.
    const log = await other.openLog({ signers: [stranger, SIGNER] });
    await log.append("forged");
    await log.close();
    const again = await other.openLog({ signers: [stranger] });
    for (let index = 0; index < 400; index += 1) await again.append(`forged ${index}`);
    await again.close();
    expect(await verifyAuditLog(other.path)).toMatchObject({ ok: true });
    expect(await verifyAuditLog(other.path, { since })).toMatchObject({
      ok: false,
      kind: "DIVERGED",
    });
  });

  test("an anchor of another log", async () => {
    const name = "other.example";
    const since = (await original.checkpoint()).replace(ORIGIN, name);
    expect(await verifyAuditLog(original.path, { since })).toMatchObject({
      ok: false,
      kind: "DIVERGED",
    });
  });

  test("an anchor, key or policy that is malformed, which is the caller's mistake", async () => {
    for (const options of [{ since: "" }, { since: "41" }, { key: "x" }, { policy: "x\n" }]) {
      await expect(verifyAuditLog(original.path, options)).rejects.toMatchObject({
        code: "AUDITOR_ANCHOR",
      });
    }
  });
});

/** The same key, another history. */
async function forkedLog(): Promise<LogDirectory> {
  const directory = await writtenLog(0);
  const log = await directory.openLog();
  for (let index = 0; index < 400; index += 1)
    await log.append(index === 7 ? "forged" : `entry ${index}`);
  await log.close();
  return directory;
}
