/**
 * CWE-59, CWE-732: a link, a FIFO, a second name or loose permissions in the log of any class, its key
 * or its checkpoint outside; one of them stops all, and no lock is left behind.
 */
import { execFileSync } from "node:child_process";
import { chmod, link, mkdtemp, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openAuditor, RETENTION_CLASSES, verifyAuditLog } from "@glovebox/auditor";
import { describe, expect, test } from "vitest";

const CLASSES = Object.keys(RETENTION_CLASSES);

/** What is done to a file or directory, and how it is undone. */
const ATTACKS: Readonly<Record<string, (path: string) => Promise<() => Promise<unknown>>>> = {
  async link(path) {
    await rename(path, `${path}-target`);
    await symlink(`${path}-target`, path);
    return async () => {
      await rm(path);
      await rename(`${path}-target`, path);
    };
  },
  async FIFO(path) {
    await rename(path, `${path}-aside`);
    execFileSync("mkfifo", ["-m", "600", path]);
    return async () => {
      await rm(path);
      await rename(`${path}-aside`, path);
    };
  },
  async "second name"(path) {
    await link(path, `${path}-second`);
    return () => rm(`${path}-second`);
  },
  async "write permission for others"(path) {
    const { mode } = await stat(path);
    await chmod(path, (mode & 0o777) | 0o020);
    return () => chmod(path, mode & 0o777);
  },
};

/** By name: whether it is part of what is verified. */
const PLACES: readonly (readonly [string, (root: string, kept: string) => string, boolean])[] = [
  ["its directory", (root, kept) => join(root, kept), true],
  ["its checkpoint", (root, kept) => join(root, kept, "checkpoint"), true],
  ["its write-ahead file", (root, kept) => join(root, kept, "wal", "0000000000000000"), true],
  ["its public key", (root, kept) => join(root, kept, "keys", "000"), true],
  ["its signing key", (root, kept) => `${root}.${kept}.key`, false],
  ["its checkpoint outside", (root, kept) => join(`${root}.checkpoints`, kept), false],
];

describe.each(CLASSES)("the log of %s", (kept) => {
  test.each(PLACES)("is refused for %s, whatever was done to it", async (_, place, isVerified) => {
    const parent = await mkdtemp(join(tmpdir(), "glovebox-class-"));
    const root = join(parent, "audit");
    const deps = { lock: { fileCalls: undefined } };
    await (await openAuditor({ directory: root })).close();
    const path = place(root, kept);
    const isDirectory = (await stat(path)).isDirectory();
    const answers: (readonly [string, unknown])[] = [];
    // Directories have no second names.
    const attacks = Object.entries(ATTACKS).filter(
      ([name]) => !(isDirectory && name === "second name"),
    );
    for (const [name, attack] of attacks) {
      const undo = await attack(path);
      answers.push([name, await codeOf(openAuditor({ directory: root }, deps))]);
      if (isVerified) answers.push([name, await codeOf(verifyAuditLog(join(root, kept)))]);
      await undo();
    }
    expect(answers.length).toBeGreaterThan(2);
    expect(answers).toEqual(answers.map(([name]) => [name, "AUDITOR_DIRECTORY"]));
    // Nothing was changed, and no lock is left.
    await (await openAuditor({ directory: root }, deps)).close();
    await rm(parent, { recursive: true });
  });
});

function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "nothing was refused",
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  );
}
