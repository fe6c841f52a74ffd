/**
 * Write-ahead files are written over. What one held before must not be taken for entries, and must not
 * outlive the pruning of those entries (GDPR Art. 5(1)(e): retention).
 */
import { type AuditLog, openAuditLog } from "@glovebox/auditor/log";
import { expect, test } from "vitest";

import { SimulatedDisk } from "../chaos/simulated-disk.ts";
import { entriesOf, ORIGIN, SIGNER } from "../fixture.ts";

const SEGMENT_BYTES = 16_384;
/** Entries of one bundle are more than a segment, so that each bundle begins another. */
const BUNDLE = 256;

async function open(disk: SimulatedDisk): Promise<AuditLog> {
  const { log } = await openAuditLog(
    { directory: "/log", origin: ORIGIN, sealIntervalMs: 86_400_000, segmentBytes: SEGMENT_BYTES },
    {
      signers: [SIGNER],
      fileSystem: disk,
      lock: async () => ({ tookOver: false, release: async () => undefined }),
    },
  );
  return log;
}

function entry(index: number): string {
  return `entry ${index} ${"x".repeat(80)}`;
}

async function appendBundle(log: AuditLog): Promise<void> {
  const { nextIndex } = log.state();
  for (let at = 0; at < BUNDLE; at += 1) await log.append(entry(nextIndex + at));
  await log.seal();
}

/** A log of which a segment was written over, and is not full again. */
async function writtenOver(disk: SimulatedDisk): Promise<AuditLog> {
  const log = await open(disk);
  let spared = 0;
  disk.faults = {
    onStep: ({ kind, path }) =>
      void (spared += Number(kind === "rename" && path.endsWith("/spare"))),
  };
  for (let bundle = 0; bundle < 12; bundle += 1) await appendBundle(log);
  expect(spared).toBeGreaterThan(3);
  return log;
}

async function writeAheadBytes(disk: SimulatedDisk): Promise<string> {
  let text = "";
  for (const name of await disk.list("/log/wal")) {
    const file = await disk.open(`/log/wal/${name}`, "read");
    text += ((await file?.read(0, 1_000_000)) ?? Buffer.alloc(0)).toString("latin1");
  }
  return text;
}

test("what a segment held before is not taken for entries after a crash", async () => {
  const disk = new SimulatedDisk();
  const log = await writtenOver(disk);
  await (
    await log.append("last")
  ).durable;
  const { durableSize } = log.state();
  const size = Buffer.byteLength(await writeAheadBytes(disk), "latin1");
  const { log: again, cut } = await openAuditLog(
    { directory: "/log", origin: ORIGIN },
    {
      signers: [SIGNER],
      fileSystem: disk.afterPowerCut(() => 0.99),
      lock: async () => ({ tookOver: false, release: async () => undefined }),
    },
  );
  // It is there, or the test shows nothing; and it is no frame that somebody lost.
  expect(size).toBeGreaterThan(SEGMENT_BYTES);
  expect(cut).toBeUndefined();
  const entries = await entriesOf(again);
  expect(entries).toHaveLength(durableSize);
  expect(entries.slice(0, 3)).toEqual([entry(0), entry(1), entry(2)]);
  expect(entries.at(-1)).toBe("last");
});

test("not even where an old frame begins just where the last new one ends", async () => {
  const disk = new SimulatedDisk();
  const log = await open(disk);
  // Frames of 64 bytes, so that a segment has exactly 256 and each begins where an older one did.
  const framed = async (index: number): Promise<void> => {
    const { durable } = await log.append(String(index).padEnd(38, "."));
    await durable;
    if (index % BUNDLE === BUNDLE - 1) await log.seal();
  };
  for (let index = 0; index < 4 * BUNDLE + 10; index += 1) await framed(index);
  const size = Buffer.byteLength(await writeAheadBytes(disk), "latin1");
  expect(size).toBeGreaterThan(SEGMENT_BYTES);
  const again = await open(disk.afterPowerCut(() => 0.99));
  expect(again.state().durableSize).toBe(4 * BUNDLE + 10);
});

test("a prune takes what was not yet sealed, too", async () => {
  const disk = new SimulatedDisk();
  const log = await open(disk);
  for (let index = 0; index < 3 * BUNDLE; index += 1) await log.append(entry(index));
  await log.flush();
  expect(log.state().sealedSize).toBe(0);
  expect(await log.prune(2 * BUNDLE)).toBe(2 * BUNDLE);
  await log.close();
});

test("pruned entries lie in no write-ahead file", async () => {
  const disk = new SimulatedDisk();
  const log = await writtenOver(disk);
  await log.append("last");
  await log.flush();
  // What the file held before.
  expect((await writeAheadBytes(disk)).includes(entry(10 * BUNDLE + 100))).toBe(true);
  const minimumIndex = await log.prune(log.state().durableSize);
  expect(minimumIndex).toBe(12 * BUNDLE);
  const left = await writeAheadBytes(disk);
  expect([left.includes("last"), left.includes("entry ")]).toEqual([true, false]);
  await log.close();
});

test("a closed log ends with its last frame, and has no spare file", async () => {
  const disk = new SimulatedDisk();
  const log = await writtenOver(disk);
  await log.append("last");
  await log.close();
  expect((await disk.list("/log/wal")).filter((name) => !/^\d+$/.test(name))).toEqual([]);
  expect((await writeAheadBytes(disk)).endsWith("last")).toBe(true);
});
