/**
 * A disk that the kernel takes away while the log writes: ext4 on a loop device with
 * `errors=remount-ro`, and a tmpfs that is remounted. What was acknowledged is there, and nothing is
 * acknowledged that is not.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { openAuditor, openAuditReader, verifyAuditLog } from "@glovebox/auditor";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event, taken } from "../fixture.ts";

/** A file system of its own, gone at the end. */
interface Mounted extends AsyncDisposable {
  readonly path: string;
  remount(mode: "ro" | "rw"): void;
  /** The kernel finds an error in it. */
  fail(): void;
}

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

async function mounted(kind: "tmpfs" | "ext4"): Promise<Mounted> {
  const parent = await mkdtemp(join(tmpdir(), "glovebox-disk-"));
  const path = join(parent, "mounted");
  await mkdir(path);
  let device = "tmpfs";
  try {
    if (kind === "ext4") {
      const image = join(parent, "image");
      run("truncate", "-s", "64M", image);
      run("mkfs.ext4", "-q", "-F", image);
      device = run("losetup", "--find", "--show", image).trim();
      run("mount", "-o", "errors=remount-ro", device, path);
    } else run("mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", path);
  } catch (error) {
    if (device.startsWith("/")) run("losetup", "-d", device);
    await rm(parent, { recursive: true });
    throw error;
  }
  return {
    path,
    remount: (mode) => void run("mount", "-o", `remount,${mode}`, path),
    fail: () => writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, "1"),
    async [Symbol.asyncDispose]() {
      // Lazily: a test that failed may have left something open.
      run("umount", "--lazy", path);
      if (device.startsWith("/")) run("losetup", "-d", device);
      await rm(parent, { recursive: true });
    },
  };
}

/** Whether this process may mount; tries it, for a container's root often may not. */
async function canMount(kind: "tmpfs" | "ext4"): Promise<boolean> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    await using disk = await mounted(kind);
    return kind === "tmpfs" || existsSync(disk.path);
  } catch {
    return false;
  }
}

/** Files below a directory that this process holds open. */
function openBelow(directory: string): readonly string[] {
  return readdirSync("/proc/self/fd")
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ""; // that of the listing itself
      }
    })
    .filter((path) => path.startsWith(directory));
}

const [hasTmpfs, hasExt4] = [await canMount("tmpfs"), await canMount("ext4")];

describe.skipIf(!hasExt4)(
  "a disk that turns read-only under a writer (skipped where ext4 on a loop device cannot be mounted)",
  () => {
    test("poisons the log: what was acknowledged stays, and nothing more is", async () => {
      await using disk = await mounted("ext4");
      const directory = join(disk.path, "audit");
      const auditor = await openAuditor({ directory });
      const first = taken(auditor, event("operator"));
      const { index } = await first.durable;
      const anchor = (await first.sealed) && auditor.logs.get("security")?.checkpoint();
      disk.fail();
      // The kernel says so at the first write, or at the sync after it.
      const late = taken(auditor, event("operator", { details: { late: true } }));
      await expect(late.durable).rejects.toThrowCode("AUDITOR_POISONED");
      expect(auditor.record({}, event("operator"))).toRefuse("AUDITOR_POISONED");
      expect(() => writeFileSync(join(disk.path, "more"), "")).toThrow("EROFS");
      await auditor.close().catch(() => undefined);
      // A descriptor that is left to the garbage collector ends the host.
      expect(openBelow(directory)).toEqual([]);
      // It can be read and verified as it is.
      const since = anchor ?? "";
      expect(await verifyAuditLog(join(directory, "security"), { since })).toMatchObject({
        ok: true,
        fresh: true,
      });
      await using reader = await openAuditReader(directory);
      const { events } = await reader.query({ kind: "operator" });
      expect(events.map((found) => found.index)).toEqual([index]);
    });
  },
);

describe.skipIf(!hasTmpfs)(
  "a disk that is read-only (skipped where a tmpfs cannot be mounted)",
  () => {
    test("opens for nobody who writes, is read by everybody, and goes on when it is writable", async () => {
      await using disk = await mounted("tmpfs");
      const directory = join(disk.path, "audit");
      const auditor = await openAuditor({ directory });
      await taken(auditor, event("operator")).sealed;
      await auditor.close();
      const size = (await verifyAuditLog(join(directory, "security"))).size;
      disk.remount("ro");
      await expect(openAuditor({ directory })).rejects.toThrow(/EROFS|read-only/);
      expect(await verifyAuditLog(join(directory, "security"))).toMatchObject({ ok: true, size });
      {
        await using reader = await openAuditReader(directory);
        expect((await reader.query({ kind: "operator" })).events).toHaveLength(1);
      }
      disk.remount("rw");
      await (await openAuditor({ directory })).close();
      expect(await verifyAuditLog(join(directory, "security"))).toMatchObject({
        ok: true,
        size: size + 2,
      });
    });
  },
);
