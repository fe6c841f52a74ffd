import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { readPackage } from "@glovebox/runtime";
import { pluginDirectory } from "@glovebox/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { pax, tar, type TarEntry, tgz } from "./tar-archive.ts";

const LIMITS = { maxBytes: 100_000 };

async function read(archive: Uint8Array, limits = LIMITS) {
  await using directory = await pluginDirectory({ "plugin.tgz": archive });
  return readPackage(join(directory.path, "plugin.tgz"), limits);
}

async function contents(archive: Uint8Array): Promise<Record<string, string>> {
  const decision = await read(archive);
  if (!decision.allowed) throw new Error(`${decision.code}: ${decision.reason}`);
  return Object.fromEntries(
    [...decision.value.files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
  );
}

describe("an archive that is read", () => {
  test("has its regular files, with and without a leading ./, and no directories", async () => {
    const entries = [
      { name: "./", type: "5" },
      { name: "./plugin.yaml", body: "plugin: {}" },
      { name: "data/", type: "5" },
      { name: "data/rows.csv", body: "a,b", type: "\0" },
      { name: "empty.txt" },
    ];
    expect(await contents(tgz(entries))).toEqual({
      "plugin.yaml": "plugin: {}",
      "data/rows.csv": "a,b",
      "empty.txt": "",
    });
  });

  test("has names from a prefix and from a pax header", async () => {
    const long = `${"d".repeat(90)}/${"é".repeat(60)}.txt`;
    const entries = [
      { name: "short.txt", prefix: "folder", body: "1" },
      pax({ path: long, mtime: "1.5" }),
      { name: "cut-off", body: "2" },
      { name: "plain.txt", body: "3" },
    ];
    expect(await contents(tgz(entries))).toEqual({
      "folder/short.txt": "1",
      [long]: "2",
      "plain.txt": "3",
    });
  });

  test("can be one that the system's tar wrote", async () => {
    await using directory = await pluginDirectory({ "in/plugin.yaml": "x", "in/a/b.txt": "y" });
    const packed = join(directory.path, "packed.tgz");
    for (const format of ["ustar", "pax"]) {
      execFileSync("tar", [
        "-czf",
        packed,
        `--format=${format}`,
        "-C",
        join(directory.path, "in"),
        ".",
      ]);
      const decision = await readPackage(packed, LIMITS);
      expect(decision.allowed && [...decision.value.files.keys()].sort()).toEqual([
        "a/b.txt",
        "plugin.yaml",
      ]);
    }
  });

  test("gives back what was put in, whatever the files hold", async () => {
    const name = fc.stringMatching(/^[a-z]{1,20}$/);
    const files = fc.dictionary(name, fc.uint8Array({ maxLength: 1_500 }), { maxKeys: 5 });
    await fc.assert(
      fc.asyncProperty(files, async (given) => {
        const entries = Object.entries(given).map(([path, body]) => ({ name: path, body }));
        const decision = await read(tgz(entries));
        expect(decision.allowed && Object.fromEntries(decision.value.files)).toEqual({ ...given });
      }),
      { numRuns: 30 },
    );
  });
});

describe("an archive that is refused", () => {
  const file: TarEntry = { name: "a.txt", body: "a" };
  test.each<[string, readonly TarEntry[], string]>([
    [
      "a symbolic link",
      [{ name: "a", type: "2", linkName: "/etc/passwd" }],
      "RUNTIME_PACKAGE_ENTRY",
    ],
    ["a hard link", [file, { name: "b", type: "1", linkName: "a.txt" }], "RUNTIME_PACKAGE_ENTRY"],
    ["a device", [{ name: "null", type: "3" }], "RUNTIME_PACKAGE_ENTRY"],
    ["a FIFO", [{ name: "pipe", type: "6" }], "RUNTIME_PACKAGE_ENTRY"],
    ["a GNU long name", [{ name: "././@LongLink", type: "L", body: "x" }], "RUNTIME_PACKAGE_ENTRY"],
    ["a global pax header", [{ ...pax({ path: "x" }), type: "g" }], "RUNTIME_PACKAGE_ENTRY"],
    ["an absolute path", [{ name: "/etc/passwd", body: "x" }], "RUNTIME_PACKAGE_ENTRY"],
    ["a path that climbs", [{ name: "../outside", body: "x" }], "RUNTIME_PACKAGE_ENTRY"],
    [
      "a path that climbs from its prefix",
      [{ name: "x", prefix: "a/..", body: "x" }],
      "RUNTIME_PACKAGE_ENTRY",
    ],
    [
      "a path that climbs in a pax header",
      [pax({ path: "a/../../b" }), file],
      "RUNTIME_PACKAGE_ENTRY",
    ],
    ["a pax path with a NUL in it", [pax({ path: "a\0b" }), file], "RUNTIME_PACKAGE_ENTRY"],
    ["a backslash", [{ name: "a\\b", body: "x" }], "RUNTIME_PACKAGE_ENTRY"],
    ["a name twice", [file, { name: "./a.txt", body: "b" }], "RUNTIME_PACKAGE_ENTRY"],
    [
      "two pax headers in a row",
      [pax({ path: "a" }), pax({ path: "b" }), file],
      "RUNTIME_PACKAGE_ARCHIVE",
    ],
    [
      "a path twice in a pax header",
      [{ name: "x", type: "x", body: "8 path=a\n8 path=b\n" }, file],
      "RUNTIME_PACKAGE_ARCHIVE",
    ],
    ["a pax size that is no number", [pax({ size: "-1" }), file], "RUNTIME_PACKAGE_ARCHIVE"],
    [
      "a pax record without an end",
      [{ name: "x", type: "x", body: "99 path=a\n" }, file],
      "RUNTIME_PACKAGE_ARCHIVE",
    ],
    ["a sparse file", [pax({ "GNU.sparse.major": "1" }), file], "RUNTIME_PACKAGE_ARCHIVE"],
    ["a size beyond the archive", [{ ...file, size: 10_000 }], "RUNTIME_PACKAGE_ARCHIVE"],
    ["a size in base 256", [{ ...file, size: "\u00ff".repeat(11) }], "RUNTIME_PACKAGE_ARCHIVE"],
    ["a size that is no number", [{ ...file, size: "9".repeat(11) }], "RUNTIME_PACKAGE_ARCHIVE"],
    ["a directory with data", [{ name: "d/", type: "5", body: "x" }], "RUNTIME_PACKAGE_ENTRY"],
    ["a wrong checksum", [{ ...file, checksum: 1 }], "RUNTIME_PACKAGE_ARCHIVE"],
    ["another format", [{ ...file, magic: "cpio\0\0" }], "RUNTIME_PACKAGE_ARCHIVE"],
    [
      "too many files",
      Array.from({ length: 1_001 }, (_, at) => ({ name: `f${at}` })),
      "RUNTIME_PACKAGE_SIZE",
    ],
    [
      "files that are too large together",
      [
        { name: "a", body: "x".repeat(60_000) },
        { name: "b", body: "x".repeat(60_000) },
      ],
      "RUNTIME_PACKAGE_SIZE",
    ],
  ])("because of %s", async (_name, entries, code) => {
    expect(await read(tgz(entries))).toRefuse(code);
  });

  test("because it is no gzip, or cut off", async () => {
    expect(await read(Buffer.from("PK not a tgz"))).toRefuse("RUNTIME_PACKAGE_ARCHIVE");
    const whole = tgz([file]);
    expect(await read(whole.subarray(0, whole.length - 10))).toRefuse("RUNTIME_PACKAGE_ARCHIVE");
    expect(await read(gzipSync(tar([file]).subarray(0, 700)))).toRefuse("RUNTIME_PACKAGE_ARCHIVE");
    expect(await read(gzipSync(tar([file], Buffer.alloc(0))))).toRefuse("RUNTIME_PACKAGE_ARCHIVE");
  });

  test("because something follows its end, which another reader might see", async () => {
    const two = Buffer.concat([tar([file]), tar([{ name: "b", body: "hidden" }])]);
    expect(await read(gzipSync(two))).toRefuse("RUNTIME_PACKAGE_ARCHIVE");
  });

  test("never throws, whatever the bytes are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_048 }), async (bytes) => {
        const decision = await read(gzipSync(bytes));
        expect(decision.allowed || decision.code.startsWith("RUNTIME_PACKAGE_")).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

test("an archive may change on disk after it was read", async () => {
  await using directory = await pluginDirectory({ "plugin.tgz": tgz([{ name: "a", body: "1" }]) });
  const path = join(directory.path, "plugin.tgz");
  const decision = await readPackage(path, LIMITS);
  await writeFile(path, "other");
  expect(decision.allowed && Buffer.from(decision.value.files.get("a") ?? []).toString()).toBe("1");
});
