/** CWE-59, CWE-732: a link, a FIFO, a second name or loose permissions where the log should be. */
import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";

import { openAuditor, verifyAuditLog } from "@glovebox/auditor";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { type LogDirectory, writtenLog } from "../fixture.ts";

/** One file of each kind that is opened by name. */
const FILES = ["checkpoint", "wal/0000000000000000", "keys/000"];

async function expectRefused(directory: LogDirectory): Promise<void> {
  await expect(directory.openLog()).rejects.toThrowCode("AUDITOR_DIRECTORY");
  await expect(verifyAuditLog(directory.path)).rejects.toThrowCode("AUDITOR_DIRECTORY");
}

test.each(FILES)(
  "%s: a link in place of the file is refused, and its target is untouched",
  async (name) => {
    await using directory = await writtenLog(1);
    const target = `${directory.path}-target`;
    await rename(directory.file(name), target);
    await symlink(target, directory.file(name));
    const before = await readFile(target, "utf8");
    await expectRefused(directory);
    expect(await readFile(target, "utf8")).toBe(before);
  },
);

test("a link in place of the directory is refused", async () => {
  await using directory = await writtenLog(1);
  await rename(directory.path, `${directory.path}-target`);
  await symlink(`${directory.path}-target`, directory.path);
  await expectRefused(directory);
  // Not for its mode, which other systems may report otherwise, but because it is a link.
  await expect(directory.openLog()).rejects.toThrow("is not a directory of its own");
});

test.each(FILES)("%s: a FIFO in place of the file is refused and does not hang", async (name) => {
  await using directory = await writtenLog(1);
  await rm(directory.file(name));
  execFileSync("mkfifo", [directory.file(name)]);
  await expectRefused(directory);
});

test.each(FILES)("%s: a file with a second name is refused", async (name) => {
  await using directory = await writtenLog(1);
  await link(directory.file(name), `${directory.path}-second`);
  await expectRefused(directory);
});

test.each(FILES)("%s: a file that others may write to is refused", async (name) => {
  await using directory = await writtenLog(1);
  await chmod(directory.file(name), 0o620);
  await expectRefused(directory);
});

test("a directory that others may write to is refused", async () => {
  await using directory = await writtenLog(1);
  await chmod(directory.path, 0o770);
  await expect(directory.openLog()).rejects.toThrowCode("AUDITOR_DIRECTORY");
});

test("a file in place of the directory, or a parent that is one, is refused", async () => {
  await using directory = await writtenLog(1);
  await rm(directory.path, { recursive: true });
  await writeFile(directory.path, "");
  await expect(directory.openLog()).rejects.toThrowCode("AUDITOR_DIRECTORY");
  const deeper = openAuditor({ directory: `${directory.path}/deeper` });
  await expect(deeper).rejects.toThrowCode("AUDITOR_DIRECTORY");
});

test.each(FILES.slice(0, 1))("%s: a directory in place of the file is refused", async (name) => {
  await using directory = await writtenLog(1);
  await rm(directory.file(name));
  await mkdir(directory.file(name));
  await expectRefused(directory);
});

test("a link, or loose permissions, on a directory of tiles is refused", async () => {
  await using directory = await writtenLog(300);
  const tiles = directory.file("tile/entries");
  await chmod(tiles, 0o770);
  await expectRefused(directory);
  await chmod(tiles, 0o700);
  await rename(tiles, `${directory.path}-target`);
  await symlink(`${directory.path}-target`, tiles);
  await expectRefused(directory);
});

test("a device or socket among the files is refused", async () => {
  await using directory = await writtenLog(1);
  execFileSync("mkfifo", [directory.file("tile/extra")]);
  await expectRefused(directory);
});

test("a key that others may write to is refused, and not replaced", async () => {
  await using directory = await writtenLog(0);
  const path = `${directory.path}-other`;
  await (await openAuditor({ directory: path })).close();
  await chmod(`${path}.security.key`, 0o620);
  await expect(openAuditor({ directory: path })).rejects.toThrowCode("AUDITOR_DIRECTORY");
});
