import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LinuxError, locateKoffi } from "@glovebox/linux";
import { type FileCalls, loadFileCalls, O_PATH, O_TMPFILE } from "@glovebox/linux/files";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { BACK_ENDS, type BackEnd, notHere, unavailable } from "../child.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_WRONLY } = constants;

describe.each(BACK_ENDS)("through %s, a file call", (backEnd) => {
  let calls: FileCalls;
  let folder: string;
  let root: number;

  beforeEach((context) => {
    const reason = unavailable(backEnd);
    if (reason !== undefined) {
      context.skip(reason);
      return;
    }
    calls = load(backEnd);
    folder = mkdtempSync(join(tmpdir(), "file-calls-"));
    mkdirSync(join(folder, "root", "sub"), { recursive: true });
    writeFileSync(join(folder, "outside"), "outside");
    writeFileSync(join(folder, "root", "sub", "file"), "inside");
    root = openSync(join(folder, "root"), O_PATH | O_DIRECTORY);
  });
  afterEach(() => {
    if (notHere !== undefined || folder === undefined) return;
    closeSync(root);
    rmSync(folder, { recursive: true });
  });

  test("opens beneath the folder, also what does not exist yet", () => {
    expect(contentOf(calls.openBeneath(root, "sub/file", O_RDONLY))).toBe("inside");
    const created = calls.openBeneath(root, "sub/new", O_CREAT | O_EXCL | O_WRONLY);
    writeSync(created, "new");
    closeSync(created);
    expect(readFileSync(join(folder, "root/sub/new"), "utf8")).toBe("new");
    expect(statSync(join(folder, "root/sub/new")).mode & 0o777).toBe(0o600);
  });

  test("opens descriptors that no child inherits", () => {
    const descriptor = calls.openBeneath(root, "sub/file", O_RDONLY);
    const flags = /^flags:\s+0(\d+)$/m.exec(
      readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"),
    )?.[1];
    closeSync(descriptor);
    expect(Number.parseInt(flags ?? "0", 8) & 0o2000000).not.toBe(0);
  });

  test.each([
    ["../outside", "EXDEV"],
    ["sub/../../outside", "EXDEV"],
    ["/etc/hostname", "EXDEV"],
    ["missing", "ENOENT"],
    ["sub/file/x", "ENOTDIR"],
    ["sub/file\0/../../outside", "EINVAL"],
  ])("refuses to open %j", (path, condition) => {
    expect(conditionOf(() => calls.openBeneath(root, path, O_RDONLY))).toBe(condition);
  });

  test("follows no link, and with leave those that stay beneath", () => {
    symlinkSync("sub/file", join(folder, "root/in"));
    symlinkSync("../outside", join(folder, "root/out"));
    symlinkSync(join(folder, "root/sub/file"), join(folder, "root/absolute"));
    const followSymlinks = true;
    for (const name of ["in", "out", "absolute"])
      expect(conditionOf(() => calls.openBeneath(root, name, O_RDONLY))).toBe("ELOOP");
    const descriptor = calls.openBeneath(root, "in", O_RDONLY, { followSymlinks });
    expect(contentOf(descriptor)).toBe("inside");
    for (const name of ["out", "absolute"])
      expect(conditionOf(() => calls.openBeneath(root, name, O_RDONLY, { followSymlinks }))).toBe(
        "EXDEV",
      );
  });

  test("crosses into no other file system and through no magic link", () => {
    const slash = openSync("/", O_PATH | O_DIRECTORY);
    try {
      expect(conditionOf(() => calls.openBeneath(slash, "proc/version", O_RDONLY))).toBe("EXDEV");
      const crossMounts = true;
      const version = calls.openBeneath(slash, "proc/version", O_RDONLY, { crossMounts });
      expect(contentOf(version)).toMatch(/^Linux/);
      const magic = `proc/${process.pid}/cwd`;
      const loose = { crossMounts, followSymlinks: true };
      expect(conditionOf(() => calls.openBeneath(slash, magic, O_RDONLY, loose))).toBe("ELOOP");
    } finally {
      closeSync(slash);
    }
  });

  test("publishes a file without a name at once, and over nothing", () => {
    const descriptor = calls.openBeneath(root, "sub", O_TMPFILE | O_RDWR, { mode: 0o640 });
    writeSync(descriptor, "whole");
    expect(readdirSync(join(folder, "root/sub"))).toEqual(["file"]);
    expect(conditionOf(() => calls.linkDescriptor(descriptor, root, "../outside"))).toBe("EINVAL");
    calls.linkDescriptor(descriptor, root, "published");
    expect(readFileSync(join(folder, "root/published"), "utf8")).toBe("whole");
    expect(conditionOf(() => calls.linkDescriptor(descriptor, root, "published"))).toBe("EEXIST");
    closeSync(descriptor);
  });

  test("renames over nothing, over something, or against it", () => {
    const read = (name: string): string => readFileSync(join(folder, "root", name), "utf8");
    writeFileSync(join(folder, "root/a"), "a");
    writeFileSync(join(folder, "root/b"), "b");
    expect(conditionOf(() => calls.rename(root, "a", root, "b", "noReplace"))).toBe("EEXIST");
    expect([read("a"), read("b")]).toEqual(["a", "b"]);
    calls.rename(root, "a", root, "b", "exchange");
    expect([read("a"), read("b")]).toEqual(["b", "a"]);
    calls.rename(root, "a", root, "c", "noReplace");
    calls.rename(root, "c", root, "b", "replace");
    expect(read("b")).toBe("b");
    expect(readdirSync(join(folder, "root")).sort()).toEqual(["b", "sub"]);
  });

  test.each(["../outside", "sub/file", "..", ".", "", "a\0"])(
    "takes %j for no name of a folder",
    (name) => {
      linkSync(join(folder, "root/sub/file"), join(folder, "root/a"));
      expect(conditionOf(() => calls.rename(root, "a", root, name, "replace"))).toBe("EINVAL");
      expect(conditionOf(() => calls.rename(root, name, root, "z", "replace"))).toBe("EINVAL");
      expect(readdirSync(join(folder, "root")).sort()).toEqual(["a", "sub"]);
    },
  );

  test("locks a file for one holder, until it closes the file", () => {
    const [first, second] = [0, 0].map(() => openSync(join(folder, "outside"), "r+"));
    expect(calls.tryLock(first ?? -1)).toBe(true);
    expect(calls.tryLock(second ?? -1)).toBe(false);
    closeSync(first ?? -1);
    expect(calls.tryLock(second ?? -1)).toBe(true);
    closeSync(second ?? -1);
    expect(conditionOf(() => calls.tryLock(second ?? -1))).toBe("EBADF");
  });

  test("sets times to the nanosecond, and leaves out what is not given", () => {
    const path = join(folder, "root/sub/file");
    const file = openSync(path, O_RDONLY);
    const times = (): unknown => {
      const { atimeNs, mtimeNs } = lstatSync(path, { bigint: true });
      return { accessedNs: atimeNs, modifiedNs: mtimeNs };
    };
    const exact = { accessedNs: 1_700_000_000_123_456_789n, modifiedNs: -1n };
    calls.setTimes(file, exact);
    expect(times()).toEqual(exact);
    calls.setTimes(file, { modifiedNs: 3n });
    expect(times()).toEqual({ ...exact, modifiedNs: 3n });
    calls.setTimes(file, { accessedNs: 4n });
    calls.setTimes(file, {});
    expect(times()).toEqual({ accessedNs: 4n, modifiedNs: 3n });
    const tooLate = { modifiedNs: 1n << 94n };
    expect(conditionOf(() => calls.setTimes(file, tooLate))).toBe("EINVAL");
    expect(times()).toEqual({ accessedNs: 4n, modifiedNs: 3n });
    closeSync(file);
    expect(conditionOf(() => calls.setTimes(file, { accessedNs: 5n }))).toBe("ENOENT");
  });

  test("sets the times of a link itself, and of nothing it leads to", () => {
    symlinkSync("../outside", join(folder, "root/out"));
    const before = lstatSync(join(folder, "outside"), { bigint: true });
    const link = openSync(join(folder, "root/out"), O_PATH | O_NOFOLLOW);
    calls.setTimes(link, { accessedNs: 1n, modifiedNs: 2n });
    closeSync(link);
    const { atimeNs, mtimeNs } = lstatSync(join(folder, "root/out"), { bigint: true });
    expect([atimeNs, mtimeNs]).toEqual([1n, 2n]);
    expect(lstatSync(join(folder, "outside"), { bigint: true })).toEqual(before);
  });

  test("tells no path in its error", () => {
    const error = errorOf(() => calls.openBeneath(root, "sub/secret", O_RDONLY));
    expect(error.code).toBe("LINUX_CALL_FAILED");
    expect(error.message).toBe("openat2 failed: ENOENT");
    expect(error.details).toEqual({ call: "openat2", errno: 2, condition: "ENOENT" });
  });
});

/** The calls through one back end: koffi is only used where there is no node:ffi. */
function load(backEnd: BackEnd): FileCalls {
  const original = vi.spyOn(process, "getBuiltinModule");
  if (backEnd === "koffi") original.mockReturnValue(undefined);
  const calls = loadFileCalls(locateKoffi()?.entry);
  original.mockRestore();
  if (calls?.backEnd !== backEnd) throw new Error(`${backEnd} was not loaded`);
  return calls;
}

function contentOf(descriptor: number): string {
  const text = readFileSync(descriptor, "utf8");
  closeSync(descriptor);
  return text;
}

function conditionOf(run: () => unknown): unknown {
  return errorOf(run).details["condition"];
}

function errorOf(run: () => unknown): LinuxError {
  try {
    run();
  } catch (error) {
    if (error instanceof LinuxError) return error;
    throw error;
  }
  throw new Error("the call succeeded");
}
