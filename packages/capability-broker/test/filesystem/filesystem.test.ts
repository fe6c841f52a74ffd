import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FileTotals, RootPolicy } from "@glovebox/capability-broker";
import type { FileDecision, FilePort, FileRight } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { OPENERS } from "../host-folder.ts";
import { type Lab, codeOf, createLab, rejectionOf, valueOf } from "../lab.ts";

const rights = (...list: FileRight[]): ReadonlySet<FileRight> => new Set(list);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
describe.each(OPENERS)("with %s", (opener) => {
  let host = "";
  const labs: Lab[] = [];

  beforeEach(() => {
    host = fs.mkdtempSync(join(tmpdir(), "broker-fs-"));
  });
  afterEach(async () => {
    for (const lab of labs.splice(0)) await lab.broker.close();
    fs.rmSync(host, { recursive: true });
  });

  function filesWith(more: Partial<RootPolicy> = {}, totals: Partial<FileTotals> = {}): FilePort {
    const lab = createLab({
      policy: {
        filesystem: {
          roots: [{ guest: "/data", host, allowRead: true, allowWrite: true, ...more }],
          totals,
        },
      },
      options: { fileWork: { opener } },
    });
    labs.push(lab);
    return lab.broker.files(lab.grant());
  }

  test("a file is created, written, read back, described and removed", async () => {
    const files = filesWith();
    const scope = callScope();
    const handle = valueOf(
      await files.open(scope, "/data/a.txt", rights("create", "write", "read", "truncate")),
    );
    await handle.writeAt(0, bytes("hello world"));
    await handle.sync();
    await handle.truncate(5);
    expect(await handle.readAt(1, 100)).toEqual(bytes("ello"));
    expect(await handle.readAt(5, 100)).toHaveLength(0);
    expect(await handle.stat()).toMatchObject({ kind: "file", size: 5 });
    await handle.close();
    expect(await rejectionOf(handle.stat())).toBe("BROKER_FILE_CLOSED");
    expect(valueOf(await files.stat(scope, "/data/a.txt"))).toMatchObject({
      kind: "file",
      size: 5,
    });
    expect(valueOf(await files.stat(scope, "/data"))).toMatchObject({ kind: "directory", size: 0 });
    expect(fs.statSync(join(host, "a.txt")).mode & 0o7777).toBe(0o600);
    expect(codeOf(await files.remove(scope, "/data/a.txt"))).toBe("allowed");
    expect(codeOf(await files.stat(scope, "/data/a.txt"))).toBe("BROKER_FILE_NOT_FOUND");
    expect(scope.meter.counts.fileOperations).toBeGreaterThan(8);
  });

  test("a handle does only what it was opened for", async () => {
    fs.writeFileSync(join(host, "a.txt"), "abc");
    const files = filesWith();
    const reader = valueOf(await files.open(callScope(), "/data/a.txt", rights("read")));
    expect(await rejectionOf(reader.writeAt(0, bytes("x")))).toBe("BROKER_RIGHT_NOT_GRANTED");
    expect(await rejectionOf(reader.truncate(0))).toBe("BROKER_RIGHT_NOT_GRANTED");
    expect(await rejectionOf(reader.setTimes({ accessedMs: 0, modifiedMs: 0 }))).toBe(
      "BROKER_RIGHT_NOT_GRANTED",
    );
    const writer = valueOf(await files.open(callScope(), "/data/a.txt", rights("write")));
    expect(await rejectionOf(writer.readAt(0, 1))).toBe("BROKER_RIGHT_NOT_GRANTED");
    const appender = valueOf(await files.open(callScope(), "/data/a.txt", rights("append")));
    expect(await rejectionOf(appender.writeAt(0, bytes("x")))).toBe("BROKER_FILE_RANGE");
    await appender.writeAt(3, bytes("d"));
    expect(fs.readFileSync(join(host, "a.txt"), "utf8")).toBe("abcd");
    expect(codeOf(await files.open(callScope(), "/data/a.txt", rights("stat")))).toBe(
      "BROKER_RIGHT_NOT_GRANTED",
    );
    for (const [offset, max] of [
      [-1, 1],
      [0.5, 1],
      [0, Number.NaN],
    ]) {
      expect(await rejectionOf(reader.readAt(offset ?? 0, max ?? 0))).toBe("BROKER_FILE_RANGE");
    }
  });

  test("a read-only folder is not changed", async () => {
    fs.writeFileSync(join(host, "a.txt"), "abc");
    const files = filesWith({ allowWrite: false });
    const scope = callScope();
    for (const right of ["write", "append", "truncate", "create"] as const) {
      expect(codeOf(await files.open(scope, "/data/a.txt", rights(right)))).toBe(
        "BROKER_RIGHT_NOT_GRANTED",
      );
    }
    expect(codeOf(await files.remove(scope, "/data/a.txt"))).toBe("BROKER_RIGHT_NOT_GRANTED");
    expect(codeOf(await files.rename(scope, "/data/a.txt", "/data/b.txt"))).toBe(
      "BROKER_RIGHT_NOT_GRANTED",
    );
    expect(codeOf(await files.mkdir(scope, "/data/b"))).toBe("BROKER_RIGHT_NOT_GRANTED");
    expect(fs.readdirSync(host)).toEqual(["a.txt"]);
  });

  test("folders are made, listed in pages, renamed and removed when empty", async () => {
    const files = filesWith();
    const scope = callScope();
    for (const name of ["c", "a", "b"])
      expect(codeOf(await files.mkdir(scope, `/data/${name}`))).toBe("allowed");
    fs.writeFileSync(join(host, ".hidden"), "");
    fs.writeFileSync(join(host, "a/x.txt"), "");
    const first = valueOf(await files.list(scope, "/data", undefined, 2));
    const idOf = async (path: string) => valueOf(await files.stat(scope, path)).id;
    expect(first).toEqual({
      entries: [
        { name: "a", kind: "directory", id: await idOf("/data/a") },
        { name: "b", kind: "directory", id: await idOf("/data/b") },
      ],
      cursor: "b",
    });
    expect(valueOf(await files.list(scope, "/data", first.cursor, 2))).toEqual({
      entries: [{ name: "c", kind: "directory", id: await idOf("/data/c") }],
    });
    expect(codeOf(await files.list(scope, "/data", undefined, 0))).toBe("BROKER_FILE_RANGE");
    expect(codeOf(await files.mkdir(scope, "/data/a"))).toBe("BROKER_FILE_EXISTS");
    expect(codeOf(await files.remove(scope, "/data/a"))).toBe("BROKER_FILE_EXISTS");
    expect(codeOf(await files.rename(scope, "/data/a/x.txt", "/data/b/y.txt"))).toBe("allowed");
    expect(codeOf(await files.remove(scope, "/data/a/"))).toBe("allowed");
    expect(codeOf(await files.remove(scope, "/data"))).toBe("BROKER_FILE_KIND");
    expect(codeOf(await files.remove(scope, "/data/b/y.txt/"))).toBe("BROKER_FILE_KIND");
    expect(fs.readdirSync(join(host, "b"))).toEqual(["y.txt"]);
  });

  test("extensions count for files under their old and new name, not for folders", async () => {
    fs.writeFileSync(join(host, "a.JSON"), "{}");
    fs.writeFileSync(join(host, "run.exe"), "MZ");
    fs.mkdirSync(join(host, "folder.exe"));
    const files = filesWith({ extensions: [".json"] });
    const scope = callScope();
    expect(codeOf(await files.open(scope, "/data/a.JSON", rights("read")))).toBe("allowed");
    expect(codeOf(await files.open(scope, "/data/run.exe", rights("read")))).toBe(
      "BROKER_PATH_EXTENSION",
    );
    expect(codeOf(await files.stat(scope, "/data/run.exe"))).toBe("BROKER_PATH_EXTENSION");
    expect(codeOf(await files.remove(scope, "/data/run.exe"))).toBe("BROKER_PATH_EXTENSION");
    expect(codeOf(await files.rename(scope, "/data/a.JSON", "/data/a.exe"))).toBe(
      "BROKER_PATH_EXTENSION",
    );
    expect(codeOf(await files.rename(scope, "/data/run.exe", "/data/run.json"))).toBe(
      "BROKER_PATH_EXTENSION",
    );
    expect(codeOf(await files.stat(scope, "/data/folder.exe"))).toBe("allowed");
    const { entries } = valueOf(await files.list(scope, "/data", undefined, 10));
    expect(entries.map(({ name }) => name)).toEqual(["a.JSON", "folder.exe"]);
  });

  test("sizes, totals of a call and open handles are bounded", async () => {
    fs.writeFileSync(join(host, "big.txt"), Buffer.alloc(11));
    const files = filesWith(
      { maxFileBytes: 10 },
      { maxOpenFiles: 1, maxReadBytesPerCall: 8, maxWrittenBytesPerCall: 6 },
    );
    const scope = callScope();
    expect(codeOf(await files.open(scope, "/data/big.txt", rights("read")))).toBe(
      "BROKER_FILE_SIZE",
    );
    const handle = valueOf(
      await files.open(scope, "/data/a.txt", rights("create", "write", "read")),
    );
    expect(codeOf(await files.open(scope, "/data/b.txt", rights("create", "write")))).toBe(
      "BROKER_FILE_QUOTA",
    );
    expect(await rejectionOf(handle.writeAt(8, bytes("abc")))).toBe("BROKER_FILE_SIZE");
    await handle.writeAt(0, bytes("abc"));
    expect(await rejectionOf(handle.writeAt(0, bytes("abcd")))).toBe("BROKER_FILE_QUOTA");
    for (let at = 0; at < 2; at += 1) await handle.readAt(0, 3);
    expect(await rejectionOf(handle.readAt(0, 3))).toBe("BROKER_FILE_QUOTA");
    await handle.close();
    expect(codeOf(await files.open(callScope(), "/data/a.txt", rights("read")))).toBe("allowed");
  });

  test("the end of a call closes its files, and a plugin without a grant has none", async () => {
    fs.writeFileSync(join(host, "a.txt"), "abc");
    const files = filesWith();
    const scope = callScope();
    const handle = valueOf(await files.open(scope, "/data/a.txt", rights("read")));
    scope.controller.abort();
    expect(await rejectionOf(handle.readAt(0, 1))).toBe("BROKER_CANCELLED");
    expect(codeOf(await files.stat(scope, "/data/a.txt"))).toBe("BROKER_CANCELLED");
    await using lab = createLab({ policy: {} });
    expect(codeOf(await lab.broker.files(lab.grant({})).stat(callScope(), "/data"))).toBe(
      "BROKER_FILES_NOT_GRANTED",
    );
  });

  test("no descriptor stays open when an operation fails", async () => {
    fs.symlinkSync("nowhere", join(host, "link.txt"));
    const files = filesWith();
    await files.stat(callScope(), "/data");
    const before = fs.readdirSync("/proc/self/fd").length;
    for (const path of [
      "/data/none.txt",
      "/data/link.txt",
      "/data/none/x.txt",
      "/data/link.txt/x.txt",
    ]) {
      await files.open(callScope(), path, rights("read"));
      await files.stat(callScope(), path);
      await files.remove(callScope(), path);
      await files.rename(callScope(), path, "/data/y.txt");
      await files.list(callScope(), path, undefined, 10);
    }
    expect(fs.readdirSync("/proc/self/fd")).toHaveLength(before);
  });

  test("refusals and broken handles speak POSIX besides", async () => {
    fs.writeFileSync(join(host, "a.txt"), "abc");
    fs.mkdirSync(join(host, "full/inner"), { recursive: true });
    const files = filesWith();
    const scope = callScope();
    const condition = async (decision: Promise<FileDecision<unknown>>): Promise<string> => {
      const answer = await decision;
      return answer.allowed ? "allowed" : answer.condition;
    };
    expect(await condition(files.stat(scope, "/data/none"))).toBe("ENOENT");
    expect(await condition(files.stat(scope, "/data/a.txt/b"))).toBe("ENOTDIR");
    expect(await condition(files.stat(scope, "/etc/passwd"))).toBe("EACCES");
    expect(await condition(files.remove(scope, "/data/full"))).toBe("ENOTEMPTY");
    expect(await condition(files.remove(scope, "/data/full", "file"))).toBe("EISDIR");
    expect(await condition(files.remove(scope, "/data/a.txt", "directory"))).toBe("ENOTDIR");
    expect(await condition(files.mkdir(scope, "/data/full"))).toBe("EEXIST");
    expect(await condition(files.link(scope, "/data/a.txt", "/data/b.txt"))).toBe("EACCES");
    expect(await condition(files.setTimes(scope, "/data/a.txt", {}))).toBe("EACCES");
    const handle = valueOf(await files.open(scope, "/data/a.txt", rights("read")));
    await expect(handle.truncate(0)).rejects.toMatchObject({ details: { condition: "EACCES" } });
    await handle.close();
    await expect(handle.stat()).rejects.toMatchObject({ details: { condition: "EBADF" } });
  });

  test("a file can be cut at opening, with the right to", async () => {
    fs.writeFileSync(join(host, "a.txt"), "abc");
    const files = filesWith();
    expect(files.folders).toEqual(["/data"]);
    const open = (...list: FileRight[]) =>
      files.open(callScope(), "/data/a.txt", rights(...list), { truncate: true });
    expect(codeOf(await open("write"))).toBe("BROKER_RIGHT_NOT_GRANTED");
    expect(await valueOf(await open("write", "truncate")).stat()).toMatchObject({ size: 0 });
  });

  test("an object is described by times, links and an id that is no inode number", async () => {
    fs.writeFileSync(join(host, "a.txt"), "abc");
    fs.utimesSync(join(host, "a.txt"), 1.5, 2.5);
    const files = filesWith();
    const stat = valueOf(await files.stat(callScope(), "/data/a.txt"));
    expect(stat).toMatchObject({
      kind: "file",
      size: 3,
      accessedMs: 1500,
      modifiedMs: 2500,
      links: 1,
    });
    expect(stat.id).not.toBe(BigInt(fs.statSync(join(host, "a.txt")).ino));
    const handle = valueOf(await files.open(callScope(), "/data/a.txt", rights("read")));
    expect((await handle.stat()).id).toBe(stat.id);
    expect(valueOf(await files.stat(callScope(), "/data")).id).not.toBe(stat.id);
  });
});
