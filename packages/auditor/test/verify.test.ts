import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";

import { formatHead, parseHead, verifyAuditLog } from "@glovebox/auditor";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event, forgedLine, logDirectory, taken, writtenLog } from "./fixture.ts";

describe("a whole log", () => {
  test("is ok, and not known to be fresh without an anchor", async () => {
    await using directory = await writtenLog(3);
    const [last] = (await directory.lines()).slice(-1);
    expect(await verifyAuditLog(directory.path)).toEqual({
      ok: true,
      fresh: false,
      size: 5,
      firstBadIndex: null,
      kind: null,
      head: { index: 4, hash: last?.hash },
      unfinishedBytes: 0,
    });
  });

  test("is fresh against any earlier head", async () => {
    await using directory = await writtenLog(3);
    for (const { index, hash } of await directory.lines()) {
      const reports = [
        await verifyAuditLog(directory.path, { since: { index, hash } }),
        await verifyAuditLog(directory.path, { since: `${index}:${hash}\n` }),
      ];
      for (const report of reports) expect(report).toMatchObject({ ok: true, fresh: true });
    }
  });

  test("may be written to while it is verified", async () => {
    await using directory = await logDirectory();
    await using auditor = await directory.open();
    for (let round = 0; round < 20; round += 1) {
      for (let n = 0; n < 50; n += 1) taken(auditor);
      expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true });
    }
  });

  test("is read in pieces that split lines and characters anywhere", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open();
    for (let n = 0; n < 1_000; n += 1) {
      taken(auditor, event("call", { error: "\u{1f9e4}ü".repeat(n % 211) }));
    }
    await auditor.close();
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: 1_002 });
  });

  test("with an unfinished line is ok, and says how much of it there is", async () => {
    await using directory = await writtenLog(1);
    await directory.write((await directory.text()).slice(0, -5));
    expect(await verifyAuditLog(directory.path)).toMatchObject({
      ok: true,
      size: 2,
      unfinishedBytes: expect.any(Number) as number,
    });
  });
});

describe("what is no log", () => {
  test("is missing when the file is gone or empty", async () => {
    await using directory = await writtenLog(1);
    await directory.write("");
    const missing = { ok: false, kind: "MISSING", firstBadIndex: 0, size: 0, head: null };
    expect(await verifyAuditLog(directory.path)).toMatchObject(missing);
    await rm(directory.file);
    expect(await verifyAuditLog(directory.path)).toMatchObject(missing);
  });

  test("rejects without a directory of its own", async () => {
    await using directory = await writtenLog(1);
    await expect(verifyAuditLog(join(directory.path, "none"))).rejects.toThrowCode(
      "AUDITOR_DIRECTORY",
    );
    await expect(verifyAuditLog(directory.file)).rejects.toThrowCode("AUDITOR_DIRECTORY");
    await symlink(directory.path, `${directory.path}-link`);
    await expect(verifyAuditLog(`${directory.path}-link`)).rejects.toThrowCode("AUDITOR_DIRECTORY");
  });

  test("rejects a directory in the place of the file", async () => {
    await using directory = await writtenLog(1);
    await rm(directory.file);
    await mkdir(directory.file);
    await expect(verifyAuditLog(directory.path)).rejects.toThrowCode("AUDITOR_DIRECTORY");
  });
});

describe("a line that no auditor wrote is invalid, even with a hash that fits", () => {
  const genesisOf = async (path: string): Promise<string> => {
    await using directory = await writtenLog(0);
    expect(path).toBe("");
    return (await directory.lines())[0]?.prev ?? "";
  };

  test.each([
    ["an event that is no JSON", "{"],
    ["an event that goes on with members of its own", '{"kind":"call"},"index":7,"x":{}'],
    ["an empty event", ""],
  ])("%s", async (_, json) => {
    await using directory = await writtenLog(0);
    await directory.write(forgedLine(json, 0, await genesisOf("")));
    expect(await verifyAuditLog(directory.path)).toMatchObject({ kind: "INVALID", size: 0 });
  });

  test("bytes that are not UTF-8", async () => {
    await using directory = await writtenLog(1);
    const bytes = Buffer.from(await directory.text());
    bytes[20] = 0xff;
    await directory.write(bytes);
    expect(await verifyAuditLog(directory.path)).toMatchObject({ kind: "INVALID", size: 0 });
  });

  test("a line that never ends", async () => {
    await using directory = await writtenLog(1);
    await directory.write(`${await directory.text()}${"x".repeat(1_000_000)}`);
    expect(await verifyAuditLog(directory.path)).toMatchObject({ kind: "INVALID", size: 3 });
  });
});

describe("the text of a head", () => {
  test("reads back as it was", () => {
    const head = { index: 41, hash: "a".repeat(64) };
    expect(parseHead(formatHead(head))).toMatchObject({ allowed: true, value: head });
  });

  test.each(["", "1", "01:" + "a".repeat(64), "1:" + "A".repeat(64), "-1:" + "a".repeat(64)])(
    "refuses %j",
    async (text) => {
      expect(parseHead(text)).toRefuse("AUDITOR_HEAD");
      await using directory = await writtenLog(0);
      await expect(verifyAuditLog(directory.path, { since: text })).rejects.toThrowCode(
        "AUDITOR_HEAD",
      );
    },
  );
});
