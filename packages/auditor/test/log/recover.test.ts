import { hash } from "node:crypto";
import { appendFile, readFile, truncate } from "node:fs/promises";

import { verifyAuditLog } from "@glovebox/auditor";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event, forgedLine, logDirectory, taken, writtenLog } from "../fixture.ts";

describe("a log whose writer died", () => {
  test("loses the unfinished line at whatever byte it was cut, and nothing else", async () => {
    await using original = await writtenLog(2);
    const bytes = await readFile(original.file);
    const lastLine = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    for (let size = lastLine + 1; size < bytes.length; size += 1) {
      await original.write(bytes.subarray(0, size));
      const auditor = await original.open();
      await auditor.close();
      const lines = await original.lines();
      expect(lines.map(({ event: { kind } }) => kind)).toEqual([
        "opened",
        "call",
        "call",
        "opened",
        "interrupted",
        "closed",
      ]);
      expect(lines[4]?.event.details).toEqual({
        cutBytes: size - lastLine,
        cutSha256: hash("sha256", bytes.subarray(lastLine, size)),
      });
    }
    expect(await verifyAuditLog(original.path)).toMatchObject({ ok: true });
  });

  test("between two lines is continued, and says that its end was not recorded", async () => {
    await using directory = await writtenLog(2);
    const bytes = await readFile(directory.file);
    await truncate(directory.file, bytes.lastIndexOf(0x0a, bytes.length - 2) + 1);
    await (await directory.open()).close();
    expect((await directory.kinds()).slice(3)).toEqual(["opened", "interrupted", "closed"]);
  });

  test("in its very first line begins anew and says so", async () => {
    await using directory = await writtenLog(0);
    await truncate(directory.file, 10);
    await (await directory.open({ origin: "other" })).close();
    expect(await directory.kinds()).toEqual(["opened", "interrupted", "closed"]);
  });

  test("with zeros at its end, as some file systems leave them, is cut back", async () => {
    await using directory = await writtenLog(1);
    await appendFile(directory.file, Buffer.alloc(4_096));
    await (await directory.open()).close();
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: 6 });
  });
});

describe("a log that no dying writer can have left", () => {
  test("is neither opened nor touched", async () => {
    await using directory = await writtenLog(3);
    const text = await directory.text();
    const lines = text.split("\n");
    const last = (await directory.lines()).at(-1);
    const damages = [
      text.replace('"n":1', '"n":2'),
      `${text}\n`,
      `${text}{}\n`,
      text + forgedLine('{"kind":"call"}', 99, last?.hash ?? ""),
      text + forgedLine('{"kind":"call"}', 5, "0".repeat(64)),
      lines.slice(1).join("\n"),
      [lines[0], ...lines.slice(2)].join("\n"),
      text + "x".repeat(70_000),
      forgedLine('{"kind":"call"}', 0, "0".repeat(64)),
    ];
    for (const damage of damages) {
      await directory.write(damage);
      await expect(directory.open()).rejects.toThrowCode("AUDITOR_LOG_INVALID");
      expect(await directory.text()).toBe(damage);
    }
  });

  test("is not opened when its first line names no origin", async () => {
    await using directory = await writtenLog(0);
    const genesis = (await directory.lines())[0]?.prev ?? "";
    await directory.write(forgedLine('{"kind":"opened"}', 0, genesis));
    await expect(directory.open()).rejects.toThrowCode("AUDITOR_LOG_INVALID");
  });
});

test("opening a long log reads its end, and continues the chain", async () => {
  await using directory = await logDirectory();
  const first = await directory.open();
  const error = "x".repeat(60_000);
  for (let n = 0; n < 100; n += 1) taken(first, event("call", { error }));
  await first.close();
  await using second = await directory.open();
  expect(second.head().index).toBe(102);
  await second.flush();
  expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: 103 });
});
