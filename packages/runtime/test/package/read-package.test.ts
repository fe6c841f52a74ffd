import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { link, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { readPackage } from "@glovebox/runtime";
import { pluginDirectory } from "@glovebox/testkit";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

const LIMITS = { maxBytes: 10_000 };

test("reads the files of a directory and of those below it, with their digests", async () => {
  await using plugin = await pluginDirectory({
    "plugin.yaml": "x",
    "a/b/c.txt": "deep",
    empty: "",
  });
  const decision = await readPackage(plugin.path, LIMITS);
  if (!decision.allowed) throw new Error(decision.reason);
  const { files, digests } = decision.value;
  expect([...files.keys()]).toEqual(["a/b/c.txt", "empty", "plugin.yaml"]);
  expect(Buffer.from(files.get("a/b/c.txt") ?? []).toString()).toBe("deep");
  expect(digests.get("a/b/c.txt")).toBe(hash("sha256", "deep"));
});

test("reads large files whole, and those that do not say how large they are", async () => {
  const large = new Uint8Array(3_000_001).map((_, at) => at % 251);
  await using plugin = await pluginDirectory({ "plugin.yaml": "x" });
  await writeFile(join(plugin.path, "large"), large);
  const decision = await readPackage(plugin.path, { maxBytes: 3_000_002 });
  if (!decision.allowed) throw new Error(decision.reason);
  const { files, digests } = decision.value;
  expect(Buffer.compare(files.get("large") ?? new Uint8Array(), large)).toBe(0);
  expect(digests.get("large")).toBe(hash("sha256", large));
  // Of size 0, as all of its file system.
  const unsaid = await readPackage("/proc/self/status", LIMITS);
  expect(unsaid).toRefuse("RUNTIME_PACKAGE_ARCHIVE");
});

test("follows the link that the operator names, and none inside", async () => {
  await using plugin = await pluginDirectory({ "in/plugin.yaml": "x" });
  await symlink(join(plugin.path, "in"), join(plugin.path, "named"));
  expect(await readPackage(join(plugin.path, "named"), LIMITS)).toMatchObject({ allowed: true });
  expect(await readPackage(plugin.path, LIMITS)).toRefuse("RUNTIME_PACKAGE_ENTRY");
});

test.each<[string, (path: string) => Promise<unknown>, string]>([
  [
    "a link to a file",
    (path) => symlink("/etc/passwd", join(path, "data")),
    "RUNTIME_PACKAGE_ENTRY",
  ],
  ["a link to a directory", (path) => symlink("/etc", join(path, "data")), "RUNTIME_PACKAGE_ENTRY"],
  ["a link to nowhere", (path) => symlink("/nowhere", join(path, "data")), "RUNTIME_PACKAGE_ENTRY"],
  ["a FIFO", async (path) => execFileSync("mkfifo", [join(path, "pipe")]), "RUNTIME_PACKAGE_ENTRY"],
  ["a backslash in a name", (path) => writeFile(join(path, "a\\b"), ""), "RUNTIME_PACKAGE_ENTRY"],
  [
    "a control character in a name",
    (path) => writeFile(join(path, "a\nb"), ""),
    "RUNTIME_PACKAGE_ENTRY",
  ],
  [
    "a name that is not UTF-8",
    (path) => writeFile(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff])]), ""),
    "RUNTIME_PACKAGE_ENTRY",
  ],
  [
    "a file that is too large",
    (path) => writeFile(join(path, "big"), new Uint8Array(10_001)),
    "RUNTIME_PACKAGE_SIZE",
  ],
  [
    "a file that claims to be small",
    (path) =>
      link("/proc/self/status", join(path, "x")).catch(() =>
        writeFile(join(path, "x"), new Uint8Array(20_000)),
      ),
    "RUNTIME_PACKAGE_SIZE",
  ],
  [
    "directories without end",
    (path) => mkdir(join(path, ...Array<string>(20).fill("d")), { recursive: true }),
    "RUNTIME_PACKAGE_SIZE",
  ],
])("refuses %s", async (_name, plant, code) => {
  await using plugin = await pluginDirectory({ "plugin.yaml": "x" });
  await plant(plugin.path);
  expect(await readPackage(plugin.path, LIMITS)).toRefuse(code);
});

test("refuses a socket, and a package of too many files", async () => {
  await using plugin = await pluginDirectory({ "plugin.yaml": "x" });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(plugin.path, "s"), resolve));
  expect(await readPackage(plugin.path, LIMITS)).toRefuse("RUNTIME_PACKAGE_ENTRY");
  await new Promise((resolve) => server.close(resolve));
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`f${at}`, ""]));
  await using crowded = await pluginDirectory(many);
  expect(await readPackage(crowded.path, LIMITS)).toRefuse("RUNTIME_PACKAGE_SIZE");
});

test("refuses a path that is not there, and one that is neither directory nor file", async () => {
  expect(await readPackage("/nowhere/at/all", LIMITS)).toRefuse("RUNTIME_PACKAGE_READ");
  expect(await readPackage("/dev/null", LIMITS)).toRefuse("RUNTIME_PACKAGE_READ");
});
