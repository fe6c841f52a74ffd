import { readFile, stat } from "node:fs/promises";

import { type Auditor, openAuditor, verifyAuditLog } from "@glovebox/auditor";
import { systemClock } from "@glovebox/core/clock";
import { callScope, fakeClock } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event, eventsOf, faultyFileSystem, kindsOf, logDirectory, taken } from "./fixture.ts";

/** Of the one log that these tests keep. */
function checkpointOf(auditor: Auditor): string {
  return auditor.logs.get("security")?.checkpoint() ?? "";
}

describe("opening a log", () => {
  test("makes a directory and files that only the owner can use", async () => {
    await using directory = await logDirectory();
    await using _auditor = await directory.open();
    expect((await stat(directory.path)).mode & 0o777).toBe(0o700);
    for (const path of [
      directory.file("checkpoint"),
      `${directory.root}.security.key`,
      directory.anchorPath,
    ]) {
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
  });

  test("begins with an event that names its origin", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open({ origin: "host.example/audit" });
    expect(auditor.origin).toBe("host.example/audit");
    await auditor.close();
    expect((await eventsOf(directory))[0]).toMatchObject({
      kind: "opened",
      success: true,
      details: { origin: "host.example/audit/security" },
    });
  });

  test("continues an existing log under its own origin", async () => {
    await using directory = await logDirectory();
    const first = await directory.open();
    taken(first);
    await first.close();
    const second = await directory.open();
    expect(second.origin).toBe(first.origin);
    await second.close();
    expect(await kindsOf(directory)).toEqual(["opened", "load", "closed", "opened", "closed"]);
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: 5 });
  });

  test("refuses to continue a log under another origin", async () => {
    await using directory = await logDirectory();
    await (await directory.open({ origin: "one" })).close();
    await expect(directory.open({ origin: "two" })).rejects.toThrowCode("AUDITOR_ORIGIN");
    await using again = await directory.open({ origin: "one" });
    expect(again.origin).toBe("one");
  });

  test("gives every new log an origin of its own", async () => {
    await using one = await logDirectory();
    await using two = await logDirectory();
    await using first = await one.open();
    await using second = await two.open();
    expect(first.origin).not.toBe(second.origin);
  });

  test.each([
    [{ directory: "" }],
    [{ origin: "two words" }],
    [{ origin: "" }],
    [{ origin: "o".repeat(129) }],
    [{ durability: "never" as "async" }],
    [{ personalData: "some" as "clear" }],
    [{ classes: [] }],
    [{ classes: ["all" as "security"] }],
    [{ retentionDays: { security: -1 } }],
    [{ retentionDays: JSON.parse('{"all":1}') as object }],
    [{ maxQueuedEvents: 7 }],
    [{ maxQueuedEvents: 8.5 }],
    [{ maxQueuedEvents: 1_048_577 }],
  ])("refuses the options %j", async (options) => {
    await using directory = await logDirectory();
    await expect(openAuditor({ directory: directory.path, ...options })).rejects.toThrowCode(
      "AUDITOR_OPTION",
    );
  });

  test("requires durability before the return of a call by default", async () => {
    await using directory = await logDirectory();
    await using auditor = await directory.open();
    expect(auditor.durability).toBe("return");
  });
});

describe("recording", () => {
  test("takes places in order and answers with receipts once they are durable", async () => {
    await using directory = await logDirectory();
    await using auditor = await directory.open({ origin: "o" });
    const [first, second] = [taken(auditor), taken(auditor)];
    expect([first.place, second.place]).toEqual([1, 2]);
    expect(await first.durable).toEqual({ origin: "o/security", index: 1, size: 3 });
    expect(await second.sealed).toEqual({ origin: "o/security", index: 2, size: 3 });
  });

  test("writes the ids of the scope and every member of the event", async () => {
    await using directory = await logDirectory();
    const clock = fakeClock({ wallMs: 1_700_000_000_000 });
    const auditor = await directory.open({ personalData: "clear" }, { clock });
    const scope = callScope({ pluginId: "rate-table", tenantId: "t1" });
    const resourceUsage = {
      wallMs: 1.5,
      cpuMs: null,
      instructions: 1_000,
      instructionsExact: true,
      memoryPeakBytes: 65_536,
      inputBytes: 2,
      outputBytes: 3,
      networkRequests: 0,
      fileOperations: 0,
    };
    const recorded = {
      kind: "load",
      success: false,
      function: "query_datasource",
      userId: "u1",
      code: "SANDBOX_TRAP",
      rule: "call.end",
      error: "unreachable",
      executionTimeMs: 1.25,
      resourceUsage,
      details: { b: [1, null], a: { ü: true } },
    };
    expect(auditor.record(scope, recorded).allowed).toBe(true);
    await auditor.close();
    const { pluginId, callId, tenantId } = scope;
    const written = {
      ...recorded,
      pluginId,
      callId,
      tenantId,
      seq: 1,
      time: 1_700_000_000_000,
      v: 1,
    };
    expect((await eventsOf(directory))[1]).toEqual(written);
  });

  test("copies the event, so that a later change does not reach the log", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open();
    const details = { path: "/data/a" };
    taken(auditor, event("load", { details }));
    details.path = "/data/b";
    await auditor.close();
    expect((await eventsOf(directory))[1]?.details).toEqual({ path: "/data/a" });
  });

  test("does not touch the disk before the turn of the event loop ends", async () => {
    await using directory = await logDirectory();
    const log: string[] = [];
    const noted = (name: string) => (path: string) => {
      if (path.includes("/wal/")) log.push(name);
    };
    const write = (path: string, bytes: Uint8Array): number => {
      noted("write")(path);
      return bytes.length;
    };
    const fileSystem = faultyFileSystem({ write, sync: noted("sync") });
    await using auditor = await directory.open({}, { fileSystem });
    log.length = 0;
    const places = Array.from({ length: 1_000 }, () => taken(auditor));
    expect(log).toEqual([]);
    await Promise.all(places.map(({ durable }) => durable));
    expect(log).toEqual(["write", "sync"]);
  });

  test("has said nothing is durable before its sync returned", async () => {
    await using directory = await logDirectory();
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    let isHeld = false;
    const sync = (path: string): Promise<void> | undefined => {
      if (!isHeld || !path.includes("/wal/")) return undefined;
      reached.resolve();
      return gate.promise;
    };
    await using auditor = await directory.open({}, { fileSystem: faultyFileSystem({ sync }) });
    isHeld = true;
    let isDurable = false;
    const { durable } = taken(auditor);
    const waiting = durable.then(() => (isDurable = true));
    await reached.promise;
    expect(isDurable).toBe(false);
    gate.resolve();
    await waiting;
  });

  test("keeps its last checkpoint outside of the directory, which a verification finds", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open();
    await taken(auditor).sealed;
    await auditor.close();
    expect(await readFile(directory.anchorPath, "utf8")).toBe(checkpointOf(auditor));
    const report = await verifyAuditLog(directory.path, { since: checkpointOf(auditor) });
    expect(report).toMatchObject({
      ok: true,
      fresh: true,
      size: 3,
      checkpoint: checkpointOf(auditor),
    });
  });

  test("flushes what was recorded so far, and at once when nothing waits", async () => {
    await using directory = await logDirectory();
    await using auditor = await directory.open();
    const { place } = taken(auditor);
    await auditor.flush();
    expect(auditor.logs.get("security")?.state().durableSize).toBe(place + 1);
    await auditor.flush();
  });

  test("writes 0 for a clock that gives no time", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open(
      {},
      { clock: { ...systemClock, wallMs: () => Number.NaN } },
    );
    await auditor.close();
    expect((await eventsOf(directory)).map(({ time }) => time)).toEqual([0, 0]);
  });

  test("cuts large bursts into batches and keeps their order", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open();
    const error = "x".repeat(60_000);
    const places = Array.from({ length: 40 }, () => taken(auditor, event("load", { error })));
    await Promise.all(places.map(({ durable }) => durable));
    await auditor.close();
    expect(await verifyAuditLog(directory.path)).toMatchObject({ ok: true, size: 42 });
  });
});

describe("closing", () => {
  test("writes what waits, says so in the log, and refuses from then on", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open();
    const { durable } = taken(auditor);
    const closed = auditor.close();
    expect(auditor.record({}, event())).toRefuse("AUDITOR_CLOSED");
    await closed;
    expect(await durable).toMatchObject({ index: 1 });
    expect(await kindsOf(directory)).toEqual(["opened", "load", "closed"]);
    await auditor.close();
  });

  test("lets another writer in", async () => {
    await using directory = await logDirectory();
    const auditor = await directory.open();
    await expect(directory.open()).rejects.toThrowCode("AUDITOR_LOCKED");
    await auditor.close();
    await using again = await directory.open();
    expect(again.origin).toBe(auditor.origin);
  });
});
