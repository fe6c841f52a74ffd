/**
 * After a failed sync the kernel has dropped what it could not write, and a second sync says "done" of
 * it ("fsyncgate", 2018). Nothing may be acknowledged, retried or signed from then on.
 */
import { setImmediate as turn } from "node:timers/promises";

import { openAuditLog } from "@glovebox/auditor/log";
import { expect, test } from "vitest";

import { type DiskStep, SimulatedDisk } from "../chaos/simulated-disk.ts";
import { entriesOf, faultyFileSystem, logDirectory, ORIGIN, SIGNER } from "../fixture.ts";

async function open(disk: SimulatedDisk) {
  const { log } = await openAuditLog(
    { directory: "/log", origin: ORIGIN, sealIntervalMs: 1 },
    {
      signers: [SIGNER],
      fileSystem: disk,
      lock: async () => ({ tookOver: false, release: async () => undefined }),
    },
  );
  return log;
}

test("after a failed sync nothing is acknowledged, written or signed", async () => {
  const disk = new SimulatedDisk();
  const log = await open(disk);
  await log.append("kept");
  await log.seal();
  const checkpoint = log.checkpoint();

  const after: DiskStep[] = [];
  let failures = 0;
  disk.faults = {
    onStep(step) {
      const isEntries = step.path.includes("/wal/");
      if (failures > 0) after.push(step);
      if (failures > 0 || !isEntries || step.kind !== "sync") return;
      failures += 1;
      throw Object.assign(new Error("EIO"), { code: "EIO" });
    },
  };
  const lost = await log.append("lost");
  const { sealed } = lost;
  await expect(lost.durable).rejects.toMatchObject({ code: "AUDITOR_POISONED" });
  await expect(sealed).rejects.toMatchObject({ code: "AUDITOR_POISONED" });
  for (const reserved of ["ordinary", "reserved"] as const)
    expect(log.tryAppend("more", reserved)).toMatchObject({ code: "AUDITOR_POISONED" });
  await expect(log.flush()).rejects.toMatchObject({ code: "AUDITOR_POISONED" });
  await expect(log.seal()).rejects.toMatchObject({ code: "AUDITOR_POISONED" });
  await log.close().catch(() => undefined);

  expect(failures).toBe(1);
  expect(after.filter(({ kind }) => kind !== "truncate")).toEqual([]);
  expect(log.checkpoint()).toBe(checkpoint);
  // The simulated kernel dropped it, too.
  expect(await entriesOf(await open(disk.afterPowerCut(() => 0.5)))).toEqual(["kept"]);
});

test("nothing is signed while its sync is under way, whoever asks for it", async () => {
  await using directory = await logDirectory();
  let held: PromiseWithResolvers<void> | undefined;
  const syncing = Promise.withResolvers<void>();
  const fileSystem = faultyFileSystem({
    async sync(path) {
      if (held === undefined || !path.includes("/wal/")) return;
      syncing.resolve();
      await held.promise;
    },
  });
  const signed: string[] = [];
  const sign: typeof SIGNER.sign = (text) => {
    signed.push(text.split("\n")[1] ?? "");
    return SIGNER.sign(text);
  };
  const log = await directory.openLog({ fileSystem, signers: [{ ...SIGNER, sign }] });
  held = Promise.withResolvers();
  const { durable } = await log.append("only written so far");
  void durable;
  await syncing.promise;
  const sealed = log.seal();
  // Long enough for a signature, were one begun.
  for (let turns = 0; turns < 50; turns += 1) await turn();
  expect(signed).toEqual(["0"]);
  held.resolve();
  await sealed;
  expect(signed).toEqual(["0", "1"]);
  await log.close();
});
