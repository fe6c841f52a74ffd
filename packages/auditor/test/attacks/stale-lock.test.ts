/** threats.md: stale-lock. Two writers fork a log: whoever cannot be sure to be alone is refused. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { type AuditorDeps, verifyAuditLog } from "@glovebox/auditor";
import type { LockOwner, ProcessTable } from "@glovebox/auditor/log";
import { describe, expect, test } from "vitest";

import { processesOf } from "#lock-owner";
import "@glovebox/testkit/matchers";

import { kindsOf, logDirectory } from "../fixture.ts";

const ME: LockOwner = {
  pid: 1,
  startTime: "100",
  bootId: "boot",
  pidNamespace: "pid:[1]",
  machine: "m",
};

function processes(isRunning: (owner: LockOwner) => boolean | undefined): ProcessTable {
  return { self: () => ME, isRunning };
}

/** Without the kernel's lock, so that the file decides. */
function fileLock(table?: ProcessTable): AuditorDeps {
  const lock = table === undefined ? {} : { processes: table };
  return { lock: { ...lock, fileCalls: undefined } };
}

/** A real lock of this process, parts of which are replaced. */
async function lockWith(
  replaced: Partial<LockOwner>,
): Promise<Awaited<ReturnType<typeof logDirectory>>> {
  const directory = await logDirectory();
  const auditor = await directory.open({}, fileLock());
  const path = join(directory.path, "audit.lock");
  const lock = JSON.parse(await readFile(path, "utf8")) as LockOwner;
  await auditor.close();
  await writeFile(path, JSON.stringify({ ...lock, ...replaced }));
  return directory;
}

describe("a lock", () => {
  test("of a running process holds", async () => {
    await using directory = await lockWith({});
    await expect(directory.open({}, fileLock())).rejects.toThrowCode("AUDITOR_LOCKED");
  });

  test("of an id that another process has since been given is stale", async () => {
    await using directory = await lockWith({ startTime: "1" });
    const auditor = await directory.open({}, fileLock());
    await auditor.close();
    expect(await kindsOf(directory)).toEqual(["opened", "closed", "opened", "closed"]);
  });

  test("of a process that has ended is stale", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    await using directory = await lockWith({ pid: child.pid ?? 0 });
    await (await directory.open({}, fileLock())).close();
    expect(await readdir(directory.path)).not.toContain("audit.lock");
  });

  test("of another container on the same volume is in doubt, and so holds", async () => {
    // Both are process 1 of their container, and one cannot see the other.
    await using directory = await lockWith({ pid: 1, pidNamespace: "pid:[4026532999]" });
    await expect(directory.open({}, fileLock())).rejects.toThrowCode("AUDITOR_LOCKED");
  });

  test.each([
    ["that is empty", ""],
    ["that is no JSON", "12345"],
    ["that names no process", "{}"],
    ["of a process without a number", JSON.stringify({ ...ME, pid: "1" })],
    ["without a boot", JSON.stringify({ ...ME, bootId: 1 })],
    ["that is too large", " ".repeat(5_000)],
  ])("%s is in doubt, and so holds", async (_, content) => {
    await using directory = await logDirectory();
    await (await directory.open()).close();
    await writeFile(join(directory.path, "audit.lock"), content);
    const deps = fileLock(processes(() => false));
    await expect(directory.open({}, deps)).rejects.toThrowCode("AUDITOR_LOCKED");
  });

  test("that is a link is refused with the directory", async () => {
    await using directory = await logDirectory();
    await (await directory.open()).close();
    await symlink(directory.file("checkpoint"), join(directory.path, "audit.lock"));
    await expect(directory.open({}, fileLock())).rejects.toThrowCode("AUDITOR_DIRECTORY");
  });

  test("whose owner cannot be told is in doubt, and so holds", async () => {
    await using directory = await logDirectory();
    await (await directory.open()).close();
    await writeFile(join(directory.path, "audit.lock"), JSON.stringify(ME));
    const opening = directory.open({}, fileLock(processes(() => undefined)));
    await expect(opening).rejects.toThrowCode("AUDITOR_LOCKED");
  });
});

describe("whether the owner of a lock runs", () => {
  const ID = "0123456789abcdef0123456789abcdef";
  const FILES: Readonly<Record<string, string>> = {
    "/etc/machine-id": ID,
    "/proc/sys/kernel/random/boot_id": "boot",
    "/proc/1/stat": `1 (a) b) S ${"0 ".repeat(18)}100 0`,
    "/proc/2/stat": `2 (init) Z ${"0 ".repeat(18)}100 0`,
    "/proc/self/ns/pid": "pid:[1]",
  };
  const here = { ...ME, machine: `${ID} host` };

  function answer(owner: Partial<LockOwner>, files: Readonly<Record<string, string>> = {}) {
    const read = (path: string): string => ({ ...FILES, ...files })[path] ?? "";
    const facts = { pid: 1, hostName: "host", readFile: read, readLink: read };
    return processesOf(facts).isRunning({ ...here, ...owner });
  }

  test("is told by its start time, whatever its name", () => {
    expect(answer({})).toBe(true);
    expect(answer({ startTime: "99" })).toBe(false);
    expect(answer({ pid: 2 })).toBe(false);
    expect(answer({ pid: 3 })).toBe(false);
  });

  test("is denied after a reboot of the same machine only", () => {
    expect(answer({ bootId: "earlier" })).toBe(false);
    expect(answer({ bootId: "earlier", machine: `${ID} other` })).toBe(undefined);
    expect(answer({ bootId: "earlier", machine: "" }, { "/etc/machine-id": "" })).toBe(undefined);
  });

  test("is in doubt from another container, and without /proc", () => {
    expect(answer({ pidNamespace: "pid:[2]" })).toBe(undefined);
    expect(answer({ pidNamespace: "" }, { "/proc/self/ns/pid": "" })).toBe(undefined);
    expect(answer({ startTime: "" })).toBe(undefined);
    expect(answer({}, { "/proc/1/stat": "" })).toBe(undefined);
    expect(answer({ bootId: "" }, { "/proc/sys/kernel/random/boot_id": "" })).toBe(undefined);
  });
});

describe("taking over a stale lock", () => {
  test("lets exactly one of many in", async () => {
    await using directory = await logDirectory();
    await (await directory.open()).close();
    await writeFile(join(directory.path, "audit.lock"), JSON.stringify(ME));
    const isRunning = ({ startTime }: LockOwner): boolean => startTime !== ME.startTime;
    const takers = Array.from({ length: 20 }, (_, n) => {
      const self = (): LockOwner => ({ ...ME, pid: n + 2, startTime: `${n}` });
      return directory.open({}, fileLock({ self, isRunning }));
    });
    const settled = await Promise.allSettled(takers);
    const [winner, ...more] = settled.flatMap((result) =>
      result.status === "fulfilled" ? [result.value] : [],
    );
    expect(more).toEqual([]);
    await winner?.close();
    const opened = (await kindsOf(directory)).filter((kind) => kind === "opened");
    expect(opened).toHaveLength(2);
  });

  test("does not happen while another process takes over, or died while it did", async () => {
    await using directory = await logDirectory();
    await (await directory.open()).close();
    await writeFile(join(directory.path, "audit.lock"), JSON.stringify(ME));
    const takeover = join(directory.path, "audit.lock.takeover");
    await writeFile(takeover, "");
    const deps = fileLock(processes(() => false));
    await expect(directory.open({}, deps)).rejects.toThrowCode("AUDITOR_LOCKED");
    await rm(takeover);
    await (await directory.open({}, deps)).close();
  });
});

test("a lock that was removed by hand and taken by another is not removed at the end", async () => {
  await using directory = await logDirectory();
  const auditor = await directory.open();
  const path = join(directory.path, "audit.lock");
  await writeFile(path, JSON.stringify(ME));
  await auditor.close();
  expect(await readFile(path, "utf8")).toBe(JSON.stringify(ME));
});

describe("the kernel's lock", () => {
  test("keeps a second writer out, also where both are process 1 and see nobody else", async () => {
    await using directory = await logDirectory();
    const blind = { lock: { processes: processes(() => false) } };
    await using _auditor = await directory.open({}, blind);
    await expect(directory.open({}, blind)).rejects.toThrowCode("AUDITOR_LOCKED");
  });

  test("lets a container in whose predecessor on this boot held it and is gone", async () => {
    await using directory = await logDirectory();
    await (await directory.open()).close();
    const owner = { ...ME, hasFlock: true };
    await writeFile(join(directory.path, "audit.lock"), JSON.stringify(owner), { mode: 0o600 });
    const deps = { lock: { processes: processes(() => undefined) } };
    await (await directory.open({}, deps)).close();
    expect(await kindsOf(directory)).toHaveLength(4);
  });

  test("decides nothing about an owner of another boot, or one without it", async () => {
    await using directory = await logDirectory();
    await (await directory.open()).close();
    for (const owner of [{ ...ME, hasFlock: true, bootId: "other" }, ME]) {
      await writeFile(join(directory.path, "audit.lock"), JSON.stringify(owner), { mode: 0o600 });
      const deps = { lock: { processes: processes(() => undefined) } };
      await expect(directory.open({}, deps)).rejects.toThrowCode("AUDITOR_LOCKED");
    }
  });
});

const WRITER = fileURLToPath(new URL("../append-until-killed.ts", import.meta.url));
/** A process that is number 1 of a name space of its own, as in a container. */
const AS_FIRST = ["--pid", "--fork", "--kill-child", "--mount-proc"];

function canUnshare(): boolean {
  try {
    execFileSync("unshare", [...AS_FIRST, "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!canUnshare())(
  "two containers on one volume, both process 1 (skipped where name spaces cannot be made)",
  () => {
    test("are never two writers", { timeout: 60_000 }, async () => {
      await using directory = await logDirectory();
      const writer = () => {
        const node = [process.execPath, "--conditions=@glovebox/source", WRITER, directory.root];
        const child = spawn("unshare", [...AS_FIRST, ...node], {
          stdio: ["ignore", "pipe", "pipe"],
        });
        let error = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text));
        return { child, ended: once(child, "close").then(([code]) => ({ code, error })) };
      };
      const first = writer();
      await once(first.child.stdout, "data");
      const second = await writer().ended;
      expect(second).toMatchObject({
        code: 1,
        error: expect.stringContaining("AUDITOR_LOCKED"),
      });
      first.child.kill("SIGKILL");
      await first.ended;
      await (await directory.open()).close();
      expect((await kindsOf(directory)).filter((kind) => kind === "opened")).toHaveLength(2);
      expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true });
    });
  },
);
