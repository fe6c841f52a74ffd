/**
 * The write-ahead file cut at every byte, with every byte flipped, and with zeros, garbage and old
 * content after it. What is whole is kept, what was never finished is cut off, and what a dying writer
 * cannot have caused is refused.
 */
import { type AuditLog, openAuditLog } from "@glovebox/auditor/log";
import { beforeAll, describe, expect, test } from "vitest";

import { SimulatedDisk } from "../chaos/simulated-disk.ts";
import { entriesOf, ORIGIN, SIGNER } from "../fixture.ts";

const WAL = "/log/wal/0000000000000000";
const ENTRIES = ["", "one", "__proto__", "ü\u2028\ud83d\ude00", "x".repeat(30)];
/** Bytes of the file's header, and of a frame before its entries. */
const [HEADER, FRAME] = [20, 24];

let original: SimulatedDisk;
let bytes: Buffer;
/** Where each frame ends. */
const ends: number[] = [];

async function open(disk: SimulatedDisk): Promise<AuditLog> {
  const { log } = await openAuditLog(
    { directory: "/log", origin: ORIGIN, sealIntervalMs: 86_400_000 },
    {
      signers: [SIGNER],
      fileSystem: disk,
      lock: async () => ({ tookOver: false, release: async () => undefined }),
    },
  );
  return log;
}

/** A log of one frame an entry, that nobody closed or sealed. */
beforeAll(async () => {
  original = new SimulatedDisk();
  const log = await open(original);
  for (const entry of ENTRIES) {
    await (
      await log.append(entry)
    ).durable;
    ends.push((ends.at(-1) ?? HEADER) + FRAME + 2 + Buffer.byteLength(entry));
  }
  bytes = await contentOf(original);
});

async function contentOf(disk: SimulatedDisk): Promise<Buffer> {
  const file = await disk.open(WAL, "read");
  return (await file?.read(0, 10_000)) ?? Buffer.alloc(0);
}

async function openWith(content: Buffer): Promise<AuditLog> {
  const disk = original.afterPowerCut(() => 0.5);
  await disk.remove(WAL);
  const file = await disk.open(WAL, "update");
  await file?.write(content, 0);
  await file?.sync();
  return open(disk);
}

test("the file is as the test thinks", () => {
  expect(bytes).toHaveLength(ends.at(-1) ?? 0);
});

test("cut at every byte, the log holds the frames that are whole", async () => {
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const log = await openWith(bytes.subarray(0, cut));
    const whole = ends.filter((end) => end <= cut).length;
    expect([cut, await entriesOf(log)]).toEqual([cut, ENTRIES.slice(0, whole)]);
    await log.append("again");
    await log.close();
  }
});

test("with any byte flipped, the log is refused, or loses the last frame alone", async () => {
  const lastStart = ends.at(-2) ?? 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    const opened = await openWith(flipped).then(entriesOf, (error: { code: string }) => error.code);
    // Nobody can tell a flipped last frame from one that was never finished.
    const expected = at < lastStart ? "AUDITOR_LOG_INVALID" : ENTRIES.slice(0, -1);
    expect([at, opened]).toEqual([at, expected]);
  }
});

describe("after its end", () => {
  test.each([
    ["zeros", () => Buffer.alloc(5_000)],
    ["garbage", () => Buffer.alloc(5_000, "GBF1 garbage")],
    ["half a frame", () => bytes.subarray(HEADER, HEADER + FRAME)],
  ])("%s are cut off", async (_, tail) => {
    const log = await openWith(Buffer.concat([bytes, tail()]));
    expect(await entriesOf(log)).toEqual(ENTRIES);
  });

  test("the frames of another file, as in a block that is used again, are cut off", async () => {
    const other = new SimulatedDisk();
    const log = await open(other);
    for (const entry of ENTRIES) await (await log.append(entry)).durable;
    const tail = (await contentOf(other)).subarray(HEADER);
    expect(await entriesOf(await openWith(Buffer.concat([bytes, tail])))).toEqual(ENTRIES);
  });

  test("a frame of its own that stands where another should is refused", async () => {
    const doubled = Buffer.concat([bytes, bytes.subarray(HEADER)]);
    await expect(openWith(doubled)).rejects.toMatchObject({ code: "AUDITOR_LOG_INVALID" });
  });
});

describe("entries", () => {
  test("of 0 and 65,535 bytes are kept, 65,536 refused, and none is cut", async () => {
    const log = await open(new SimulatedDisk());
    const largest = "ü".repeat(32_767).concat("x");
    for (const entry of ["", largest, new Uint8Array(65_535)]) await log.append(entry);
    for (const entry of [`${largest}x`, new Uint8Array(65_536), "ü".repeat(40_000)]) {
      expect(log.tryAppend(entry)).toMatchObject({ allowed: false, code: "AUDITOR_ENTRY_SIZE" });
    }
    expect(log.tryAppend("\ud800")).toMatchObject({ allowed: false, code: "AUDITOR_ENTRY_TEXT" });
    await log.flush();
    expect((await entriesOf(log)).map(({ length }) => length)).toEqual([0, 32_768, 65_535]);
    await log.close();
  });

  test("are copied when they are appended", async () => {
    const log = await open(new SimulatedDisk());
    const entry = Buffer.from("before");
    const { durable } = await log.append(entry);
    entry.fill("x");
    await durable;
    expect(await entriesOf(log)).toEqual(["before"]);
    await log.close();
  });
});
