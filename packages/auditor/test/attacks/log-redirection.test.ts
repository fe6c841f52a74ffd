/** CWE-59, CWE-732: a link, a FIFO, a second name or loose permissions where the log should be. */
import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";

import { verifyAuditLog } from "@glovebox/auditor";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { type LogDirectory, writtenLog } from "../fixture.ts";

async function expectRefused(directory: LogDirectory): Promise<void> {
  await expect(directory.open()).rejects.toThrowCode("AUDITOR_DIRECTORY");
  await expect(verifyAuditLog(directory.path)).rejects.toThrowCode("AUDITOR_DIRECTORY");
}

test("a link in place of the file is refused, and its target is untouched", async () => {
  await using directory = await writtenLog(1);
  const target = `${directory.path}-target`;
  await rename(directory.file, target);
  await symlink(target, directory.file);
  const before = await readFile(target, "utf8");
  await expectRefused(directory);
  expect(await readFile(target, "utf8")).toBe(before);
});

test("a link in place of the directory is refused", async () => {
  await using directory = await writtenLog(1);
  await rename(directory.path, `${directory.path}-target`);
  await symlink(`${directory.path}-target`, directory.path);
  await expectRefused(directory);
  // Not for its mode, which other systems may report otherwise, but because it is a link.
  await expect(directory.open()).rejects.toThrow("is not a directory of its own");
});

test("a FIFO in place of the file is refused and does not hang", async () => {
  await using directory = await writtenLog(1);
  await rm(directory.file);
  execFileSync("mkfifo", [directory.file]);
  await expectRefused(directory);
});

test("a file with a second name is refused", async () => {
  await using directory = await writtenLog(1);
  await link(directory.file, `${directory.path}-second`);
  await expectRefused(directory);
});

test("a file that others may write to is refused", async () => {
  await using directory = await writtenLog(1);
  await chmod(directory.file, 0o620);
  await expectRefused(directory);
});

test("a directory that others may write to is refused", async () => {
  await using directory = await writtenLog(1);
  await chmod(directory.path, 0o770);
  await expect(directory.open()).rejects.toThrowCode("AUDITOR_DIRECTORY");
});

test("a file in place of the directory, or a parent that is one, is refused", async () => {
  await using directory = await writtenLog(1);
  await rm(directory.path, { recursive: true });
  await writeFile(directory.path, "");
  await expect(directory.open()).rejects.toThrowCode("AUDITOR_DIRECTORY");
  await expect(directory.open({ directory: `${directory.path}/deeper` })).rejects.toThrowCode(
    "AUDITOR_DIRECTORY",
  );
});

test("a directory in place of the file is refused", async () => {
  await using directory = await writtenLog(1);
  await rm(directory.file);
  await mkdir(directory.file);
  await expectRefused(directory);
});
