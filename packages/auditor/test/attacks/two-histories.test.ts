/**
 * A log signs one history. What contradicts a root that it signed is never signed, whoever asks, and a
 * directory that lacks what was signed, or holds something else, is not continued.
 */
import { type AuditLog, openAuditLog } from "@glovebox/auditor/log";
import type { NoteSigner } from "@glovebox/tlog/note";
import { beforeEach, expect, test } from "vitest";

import { Sealer } from "#src/log/seal";
import { TileFiles } from "#src/log/tile-files";

import { SimulatedDisk } from "../chaos/simulated-disk.ts";
import { entriesOf, ORIGIN, SIGNER } from "../fixture.ts";

const WAL = "/log/wal/0000000000000000";
const CHECKPOINT = "/log/checkpoint";
const ANCHOR = "/anchor";

let signatures: number;
const signer: NoteSigner = {
  ...SIGNER,
  sign(text) {
    signatures += 1;
    return SIGNER.sign(text);
  },
};

beforeEach(() => (signatures = 0));

async function open(disk: SimulatedDisk): Promise<AuditLog> {
  const { log } = await openAuditLog(
    { directory: "/log", origin: ORIGIN, anchorPath: ANCHOR },
    {
      signers: [signer],
      fileSystem: disk,
      lock: async () => ({ tookOver: false, release: async () => undefined }),
    },
  );
  return log;
}

async function sealedLog(...entries: readonly string[]): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const log = await open(disk);
  for (const entry of entries) await log.append(entry);
  await log.close();
  return disk;
}

async function copyFile(from: SimulatedDisk, to: SimulatedDisk, path: string): Promise<void> {
  const bytes = await (await from.open(path, "read"))?.read(0, 10_000);
  await to.remove(path);
  await (await to.open(path, "replace"))?.write(bytes ?? Buffer.alloc(0), 0);
}

/** The code of the refusal; nothing may have been signed before it. */
async function refusalOf(disk: SimulatedDisk): Promise<string> {
  signatures = 0;
  const code = await open(disk).then(
    () => "opened",
    (error: { code: string }) => error.code,
  );
  return signatures === 0 ? code : "signed";
}

test("a tree that contradicts what was signed is not signed", async () => {
  const disk = new SimulatedDisk();
  await disk.makeDirectory("/log");
  const root = Buffer.alloc(32, 1);
  const sealer = new Sealer({
    fileSystem: disk,
    directory: "/log",
    origin: ORIGIN,
    signers: [signer],
    cosign: undefined,
    tiles: new TileFiles(disk, "/log"),
    anchorPath: undefined,
    lastSigned: { size: 5, root },
  });
  const other = Buffer.alloc(32, 2);
  const fork = { code: "AUDITOR_FORK" };
  await expect(sealer.seal({ size: 5, root: other, partial: [] })).rejects.toMatchObject(fork);
  await expect(sealer.seal({ size: 4, root, partial: [] })).rejects.toMatchObject(fork);
  expect(signatures).toBe(0);
  await sealer.seal({ size: 5, root, partial: [] });
  await sealer.seal({ size: 6, root: other, partial: [] });
  await expect(sealer.seal({ size: 6, root, partial: [] })).rejects.toMatchObject(fork);
  expect(signatures).toBe(2);
});

test("a write-ahead file that holds other entries, or fewer, is not continued", async () => {
  const disk = await sealedLog("one", "two", "three");
  for (const entries of [["one", "changed", "three"], ["one", "two"], []]) {
    const changed = disk.afterPowerCut(() => 0.5);
    await copyFile(await sealedLog(...entries), changed, WAL);
    await changed.remove(ANCHOR);
    expect(await refusalOf(changed)).toBe("AUDITOR_LOG_INVALID");
  }
  expect(await entriesOf(await open(disk))).toEqual(["one", "two", "three"]);
});

test("nor beside a checkpoint that was signed and not yet published", async () => {
  const disk = await sealedLog("one", "two");
  await disk.rename(CHECKPOINT, `${CHECKPOINT}.tmp`);
  await disk.remove(ANCHOR);
  await copyFile(await sealedLog("one", "changed"), disk, WAL);
  expect(await refusalOf(disk)).toBe("AUDITOR_LOG_INVALID");
});

test("a directory that was rolled back as a whole is not continued", async () => {
  const disk = await sealedLog("one");
  const before = disk.afterPowerCut(() => 0.5);
  const log = await open(disk);
  await log.append("two");
  await log.close();
  await copyFile(disk, before, ANCHOR);
  expect(await refusalOf(before)).toBe("AUDITOR_ROLLBACK");
});
