/** What happens when the disk does not do as it is told. */
import { verifyAuditLog } from "@glovebox/auditor";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event, type Faults, faultyFileSystem, logDirectory, taken } from "../fixture.ts";

function fail(code: string): never {
  throw Object.assign(new Error(`${code}: the disk failed`), { code });
}

describe("a failed write or sync", () => {
  test.each(["write", "sync"] as const)(
    "(%s) poisons the log until it is reopened",
    async (operation) => {
      await using directory = await logDirectory();
      const faults: Faults = {};
      const auditor = await directory.open({}, { fileSystem: faultyFileSystem(faults) });
      const before = taken(auditor);
      await before.durable;
      faults[operation] = () => fail("EIO");
      const [lost, alsoLost] = [taken(auditor), taken(auditor)];
      await expect(lost.durable).rejects.toThrowCode("AUDITOR_POISONED");
      await expect(alsoLost.sealed).rejects.toThrowCode("AUDITOR_POISONED");
      // The disk works again, but nobody knows what became of the last batch.
      faults[operation] = undefined as never;
      expect(auditor.record({}, event("operator"))).toRefuse("AUDITOR_POISONED");
      await expect(auditor.flush()).rejects.toThrowCode("AUDITOR_POISONED");
      await expect(auditor.whenDurable(lost.place)).rejects.toThrowCode("AUDITOR_POISONED");
      await expect(lost.durable).rejects.toThrowCode("AUDITOR_POISONED");
      expect(await before.durable).toMatchObject({ index: before.place });
      expect(auditor.head().index).toBe(before.place);
      await auditor.close();

      await using again = await directory.open();
      taken(again);
      await again.flush();
      expect(await directory.kinds()).toContain("interrupted");
      expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true });
    },
  );

  test("is never retried: one sync fails, and no other follows", async () => {
    await using directory = await logDirectory();
    let syncs = 0;
    let isFailing = false;
    const sync = (): void => {
      syncs += 1;
      if (isFailing) fail("EIO");
    };
    const auditor = await directory.open({}, { fileSystem: faultyFileSystem({ sync }) });
    [isFailing, syncs] = [true, 0];
    const first = taken(auditor, event("call", { error: "x".repeat(60_000) }));
    for (let n = 0; n < 20; n += 1) taken(auditor, event("call", { error: "x".repeat(60_000) }));
    await expect(first.durable).rejects.toThrowCode("AUDITOR_POISONED");
    await auditor.close();
    expect(syncs).toBe(1);
  });

  test("while closing rejects the close, and still lets go of the directory", async () => {
    await using directory = await logDirectory();
    const faults: Faults = {};
    const auditor = await directory.open({}, { fileSystem: faultyFileSystem(faults) });
    faults.sync = () => fail("ENOSPC");
    await expect(auditor.close()).rejects.toThrowCode("AUDITOR_POISONED");
    await using again = await directory.open();
    expect(again.head().index).toBeGreaterThan(0);
  });

  test("while opening rejects the opening, and still lets go of the directory", async () => {
    await using directory = await logDirectory();
    const fileSystem = faultyFileSystem({ sync: () => fail("EROFS") });
    await expect(directory.open({}, { fileSystem })).rejects.toThrowCode("AUDITOR_POISONED");
    await using again = await directory.open();
    expect(again.head().index).toBeGreaterThan(0);
  });

  test("leaves no rejection unheard when nobody waits", async () => {
    await using directory = await logDirectory();
    const faults: Faults = {};
    const auditor = await directory.open({}, { fileSystem: faultyFileSystem(faults) });
    faults.sync = () => fail("EIO");
    // Both promises are made, one is awaited: vitest fails on an unhandled rejection.
    const { durable, sealed } = taken(auditor);
    await expect(durable).rejects.toThrowCode("AUDITOR_POISONED");
    expect(sealed).toBeInstanceOf(Promise);
    await auditor.close();
  });
});

describe("a short write", () => {
  test("is continued where it stopped", async () => {
    await using directory = await logDirectory();
    const write = (bytes: Uint8Array): number => Math.min(bytes.length, 7);
    const auditor = await directory.open({}, { fileSystem: faultyFileSystem({ write }) });
    for (let n = 0; n < 10; n += 1) taken(auditor, event("call", { error: "ü".repeat(n) }));
    await auditor.close();
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: 12 });
  });

  test("that takes no bytes is a failure and no endless loop", async () => {
    await using directory = await logDirectory();
    const faults: Faults = {};
    const auditor = await directory.open({}, { fileSystem: faultyFileSystem(faults) });
    faults.write = () => 0;
    await expect(taken(auditor).durable).rejects.toThrowCode("AUDITOR_POISONED");
    await auditor.close();
  });

  test("in the middle of a line, then a failure, leaves a log that opens and is whole", async () => {
    await using directory = await logDirectory();
    const faults: Faults = {};
    const auditor = await directory.open({}, { fileSystem: faultyFileSystem(faults) });
    let writes = 0;
    faults.write = (bytes) => (writes++ === 0 ? bytes.length - 20 : fail("ENOSPC"));
    const [whole, torn] = [taken(auditor), taken(auditor)];
    await expect(torn.durable).rejects.toThrowCode("AUDITOR_POISONED");
    await auditor.close();
    await (await directory.open()).close();
    expect(await directory.kinds()).toEqual(["opened", "call", "opened", "interrupted", "closed"]);
    expect((await directory.lines())[whole.place]?.event.kind).toBe("call");
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: 5 });
  });
});

test("a new file's name is durable before the first event is", async () => {
  await using directory = await logDirectory();
  const log: string[] = [];
  await (await directory.open({}, { fileSystem: faultyFileSystem({ log }) })).close();
  expect(log).toEqual(["directory", "directory", "write", "sync", "write", "sync"]);
});
