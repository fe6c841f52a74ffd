/** Write-ahead files that are longer than what recovery reads at once (4 MiB). */
import { openAuditLog } from "@glovebox/auditor/log";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { SimulatedDisk } from "../chaos/simulated-disk.ts";
import { entriesOf, ORIGIN, SIGNER } from "../fixture.ts";

const ENTRIES = 200;
const WAL = "/log/wal/0000000000000000";

async function open(disk: SimulatedDisk) {
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

/** Of lengths that put frames across every boundary. */
function entry(index: number): string {
  return `entry ${index} ${"x".repeat(60_000 - (index % 7) * 911)}`;
}

/** What a crash leaves of twelve megabytes in frames of one to several entries. */
async function crashed(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const log = await open(disk);
  for (let index = 0; index < ENTRIES; index += 1) {
    const { durable } = await log.append(entry(index));
    if (index % 3 === 0) await durable;
  }
  await log.flush();
  return disk.afterPowerCut(() => 0.99);
}

test("every frame is found, also across the pieces that are read", async () => {
  const disk = await crashed();
  const size = await (await disk.open(WAL, "read"))?.size();
  expect(size).toBeGreaterThan(2 * 4_194_304);
  const entries = await entriesOf(await open(disk));
  expect(entries).toEqual(Array.from({ length: ENTRIES }, (_, index) => entry(index)));
});

test.each([100_000, 4_194_304, 9_000_000])(
  "a byte that was changed at %d is found, whichever piece it is in",
  async (at) => {
    const disk = await crashed();
    const file = await disk.open(WAL, "update");
    const [byte = 0] = (await file?.read(at, 1)) ?? [];
    await file?.write(Uint8Array.of(byte ^ 1), at);
    await expect(open(disk)).rejects.toThrowCode("AUDITOR_LOG_INVALID");
  },
);
