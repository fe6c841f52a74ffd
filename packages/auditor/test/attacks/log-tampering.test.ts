/** CWE-117, CWE-354: each change to a log is found, and named; some only with an anchor. */
import { type LogHead, verifyAuditLog } from "@glovebox/auditor";
import { expect, test } from "vitest";

import { event, forgedLine, logDirectory, taken, writtenLog } from "../fixture.ts";

const CALLS = 6;
const SIZE = CALLS + 2;

async function reportAfter(change: (lines: string[]) => readonly string[]) {
  await using directory = await writtenLog(CALLS);
  const lines = (await directory.text()).split("\n").slice(0, -1);
  await directory.write(
    change(lines)
      .map((line) => `${line}\n`)
      .join(""),
  );
  return verifyAuditLog(directory.path);
}

test("one changed bit in any byte is found, at its line", async () => {
  await using directory = await writtenLog(1);
  const original = Buffer.from(await directory.text());
  let line = 0;
  for (let offset = 0; offset < original.length - 1; offset += 1) {
    const bytes = Buffer.from(original);
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 7));
    await directory.write(bytes);
    const report = await verifyAuditLog(directory.path);
    expect(report, `byte ${offset}`).toMatchObject({ ok: false, firstBadIndex: line });
    if (original[offset] === 0x0a) line += 1;
  }
});

test("two lines that changed places are found at the first", async () => {
  const report = await reportAfter(([a = "", b = "", c = "", ...rest]) => [a, c, b, ...rest]);
  expect(report).toMatchObject({ ok: false, kind: "MISSING", firstBadIndex: 1 });
});

test("a line that is there twice is invalid", async () => {
  const report = await reportAfter(([a = "", b = "", ...rest]) => [a, b, b, ...rest]);
  expect(report).toMatchObject({ ok: false, kind: "INVALID", firstBadIndex: 2 });
});

test("a deleted line is missing, also the first", async () => {
  for (let index = 0; index < SIZE - 1; index += 1) {
    const report = await reportAfter((lines) => lines.toSpliced(index, 1));
    expect(report).toMatchObject({ ok: false, kind: "MISSING", firstBadIndex: index });
  }
});

test("an inserted line is invalid, also with a hash that fits", async () => {
  await using directory = await writtenLog(CALLS);
  const lines = await directory.lines();
  const inserted = forgedLine('{"kind":"call","success":true}', 3, lines[2]?.hash ?? "");
  const report = await reportAfter((texts) => texts.toSpliced(3, 0, inserted.trimEnd()));
  expect(report).toMatchObject({ ok: false, kind: "INVALID", firstBadIndex: 3 });
});

test("a line that was rewritten with its hash is invalid at the next", async () => {
  await using directory = await writtenLog(CALLS);
  const lines = await directory.lines();
  const texts = (await directory.text()).split("\n");
  texts[3] = forgedLine('{"kind":"call","success":false}', 3, lines[2]?.hash ?? "").trimEnd();
  await directory.write(texts.join("\n"));
  expect(await verifyAuditLog(directory.path)).toMatchObject({ kind: "INVALID", firstBadIndex: 4 });
});

test("a cut end looks whole without an anchor, and is a rollback with one", async () => {
  await using directory = await writtenLog(CALLS);
  const lines = await directory.lines();
  const { index = 0, hash = "" } = lines.at(-1) ?? {};
  const texts = (await directory.text()).split("\n");
  await directory.write(`${texts.slice(0, 4).join("\n")}\n`);
  expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, fresh: false });
  expect(await verifyAuditLog(directory.path, { since: { index, hash } })).toMatchObject({
    ok: false,
    fresh: false,
    kind: "ROLLBACK",
    firstBadIndex: 4,
    size: 4,
  });
});

test("a log that was cut and written on is another history", async () => {
  await using directory = await writtenLog(CALLS);
  const anchor: LogHead | undefined = (await directory.lines())[5];
  const texts = (await directory.text()).split("\n");
  await directory.write(`${texts.slice(0, 3).join("\n")}\n`);
  const auditor = await directory.open();
  for (let n = 0; n < 10; n += 1) taken(auditor, event("deny"));
  await auditor.close();
  expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, fresh: false });
  const since = { index: anchor?.index ?? 0, hash: anchor?.hash ?? "" };
  expect(await verifyAuditLog(directory.path, { since })).toMatchObject({
    ok: false,
    fresh: false,
    kind: "DIVERGED",
    firstBadIndex: 5,
  });
});

test("another log in its place is another history from the first line", async () => {
  await using one = await writtenLog(CALLS);
  await using other = await logDirectory();
  await (await other.open({ origin: "other" })).close();
  const { index = 0, hash = "" } = (await one.lines())[0] ?? {};
  expect(await verifyAuditLog(other.path, { since: { index, hash } })).toMatchObject({
    kind: "DIVERGED",
    firstBadIndex: 0,
  });
});

test("what comes first is named when there is more than one problem", async () => {
  await using directory = await writtenLog(CALLS);
  await directory.write((await directory.text()).replace('"n":4', '"n":9'));
  const diverged = { index: 2, hash: "0".repeat(64) };
  expect(await verifyAuditLog(directory.path, { since: diverged })).toMatchObject({
    kind: "DIVERGED",
    firstBadIndex: 2,
  });
  const later = { index: 7, hash: "0".repeat(64) };
  expect(await verifyAuditLog(directory.path, { since: later })).toMatchObject({
    kind: "INVALID",
    firstBadIndex: 5,
  });
});
