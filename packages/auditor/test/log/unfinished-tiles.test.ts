/** Tiles are not synced, and so a power cut or a crash can leave them torn: opening makes them again. */
import { chmod, readdir, rm, truncate, writeFile } from "node:fs/promises";

import { verifyAuditLog } from "@glovebox/auditor";
import { expect, test } from "vitest";

import { writtenLog } from "../fixture.ts";

const ENTRIES = 600;
const FULL = ["tile/entries/000", "tile/0/000", "tile/0/001"];
const PARTIAL = [`tile/entries/002.p/${ENTRIES % 256}`, `tile/0/002.p/${ENTRIES % 256}`];

test.each([...FULL, ...PARTIAL])("%s is made again, torn or gone", async (name) => {
  await using directory = await writtenLog(ENTRIES);
  const path = directory.file(name);
  for (const damage of [
    () => truncate(path, 10),
    () => writeFile(path, Buffer.alloc(20_000, 7)),
    () => rm(path),
  ]) {
    await chmod(path, 0o600);
    await damage();
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: false });
    await (await directory.openLog()).close();
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: ENTRIES });
  }
});

test("the partial tiles of an earlier writer go when their tile is full", async () => {
  await using directory = await writtenLog(ENTRIES);
  const log = await directory.openLog();
  for (let entry = 0; entry < 256; entry += 1) {
    await log.append("more");
    if (entry % 50 === 0) await log.seal();
  }
  await log.close();
  const left = await readdir(directory.file("tile/entries"));
  expect(left.toSorted()).toEqual(["000", "001", "002", "003.p"]);
  expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: ENTRIES + 256 });
});
