import type { FileDecision, FileRight } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import { memoryFiles } from "@glovebox/testkit/files";
import { expect, it } from "vitest";

const ALL: readonly FileRight[] = [
  ...(["read", "write", "create", "append", "truncate", "setTimes"] as const),
  ...(["list", "stat", "delete", "rename", "mkdir", "link"] as const),
];
const scope = callScope();

function conditionOf(decision: FileDecision<unknown>): string {
  return decision.allowed ? "allowed" : decision.condition;
}

it("keeps what is written, and says what it is", async () => {
  const files = memoryFiles({ files: { "/data/old.txt": "old" }, folders: ["/data"] });
  const opened = await files.open(scope, "/data/new.txt", new Set(["write", "create"]));
  if (!opened.allowed) throw new Error(opened.reason);
  await opened.value.writeAt(3, Uint8Array.of(1, 2));
  await opened.value.close();
  await expect(opened.value.stat()).rejects.toMatchObject({ details: { condition: "EBADF" } });
  expect(files.contentOf("/data/new.txt")).toEqual(Uint8Array.of(0, 0, 0, 1, 2));
  const listed = await files.list(scope, "/data", undefined, 1);
  expect(listed).toMatchObject({ value: { entries: [{ name: "new.txt" }], cursor: "new.txt" } });
});

it("follows links only with the right to them, and never above the granted folder", async () => {
  const options = {
    files: { "/data/in.txt": "in", "/out.txt": "out" },
    links: { "/data/inner": "in.txt", "/data/up": "../out.txt", "/data/root": "/out.txt" },
    folders: ["/data"],
  };
  const linking = memoryFiles({ ...options, rights: ALL });
  expect(conditionOf(await linking.stat(scope, "/data/inner"))).toBe("allowed");
  for (const path of ["/data/up", "/data/root", "/data/../out.txt", "/out.txt"]) {
    expect(conditionOf(await linking.stat(scope, path))).toBe("EACCES");
  }
  const plain = memoryFiles(options);
  expect(conditionOf(await plain.stat(scope, "/data/inner"))).toBe("EACCES");
  expect(conditionOf(await plain.symlink(scope, "in.txt", "/data/new"))).toBe("EACCES");
});

it("answers as a file system does", async () => {
  const files = memoryFiles({ files: { "/a.txt": "a", "/folder/b.txt": "b" }, rights: ALL });
  const read = new Set<FileRight>(["read"]);
  expect(conditionOf(await files.open(scope, "/absent", read))).toBe("ENOENT");
  expect(conditionOf(await files.open(scope, "/folder", read))).toBe("EISDIR");
  expect(conditionOf(await files.open(scope, "/a.txt/x", read))).toBe("ENOTDIR");
  expect(conditionOf(await files.mkdir(scope, "/folder"))).toBe("EEXIST");
  expect(conditionOf(await files.remove(scope, "/folder"))).toBe("ENOTEMPTY");
  expect(conditionOf(await files.remove(scope, "/folder", "file"))).toBe("EISDIR");
  expect(conditionOf(await files.remove(scope, "/a.txt", "directory"))).toBe("ENOTDIR");
  expect(conditionOf(await files.remove(scope, "/"))).toBe("EBUSY");
  expect(conditionOf(await files.rename(scope, "/folder", "/folder/inside"))).toBe("EINVAL");
  expect(conditionOf(await files.rename(scope, "/folder", "/a.txt"))).toBe("ENOTDIR");
  expect(conditionOf(await files.link(scope, "/folder", "/second"))).toBe("EPERM");
  expect(conditionOf(await files.link(scope, "/a.txt", "/second"))).toBe("allowed");
  expect(await files.stat(scope, "/second")).toMatchObject({ value: { links: 2, size: 1 } });
  expect(conditionOf(await files.symlink(scope, "loop", "/loop"))).toBe("allowed");
  expect(conditionOf(await files.stat(scope, "/loop"))).toBe("ELOOP");
  expect(await files.readLink(scope, "/loop")).toMatchObject({ value: "loop" });
});
