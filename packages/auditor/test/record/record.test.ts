import type { AuditEvent } from "@glovebox/core/ports";
import { callScope } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import type { AuditLog } from "#src/log/log";

import { event } from "../fixture.ts";
import { createMemoryLog } from "../memory-log.ts";
import { CLASSES, testTrail } from "../trail.ts";

describe("recording", () => {
  test("puts each kind into the log of its class, with the time and the ids of the scope", async () => {
    await using t = await testTrail();
    const scope = callScope({ pluginId: "rate-table", tenantId: "t1" });
    expect(t.trail.record(scope, event("call")).allowed).toBe(true);
    expect(t.trail.record({}, event("operator")).allowed).toBe(true);
    expect(t.trail.record({}, event("log")).allowed).toBe(true);
    expect(await t.events("activity")).toEqual([
      {
        kind: "call",
        success: true,
        pluginId: "rate-table",
        callId: scope.callId,
        tenantId: "t1",
        time: t.clock.wallMs(),
        seq: 0,
        v: 1,
      },
    ]);
    expect((await t.events("security")).map(({ kind }) => kind)).toEqual(["operator"]);
    expect((await t.events("operations")).map(({ kind }) => kind)).toEqual(["log"]);
  });

  test("copies the event, so that a later change does not reach the log", async () => {
    await using t = await testTrail();
    const details = { path: "/data/a" };
    t.trail.record({}, event("file", { details }));
    details.path = "/data/b";
    expect((await t.events("activity"))[0]?.details).toEqual({ path: "/data/a" });
  });

  test("refuses an event that cannot even be read", async () => {
    await using t = await testTrail();
    const broken = Object.defineProperty(event(), "error", {
      get() {
        throw new Error("gone");
      },
    });
    expect(t.trail.record({}, broken)).toRefuse("CORE_CHECK_FAILED");
    expect(t.trail.record({}, null as unknown as AuditEvent)).toRefuse("CORE_CHECK_FAILED");
  });

  test("refuses a kind whose class is not kept", async () => {
    const logs = new Map([["operations" as const, createMemoryLog()]]);
    await using t = await testTrail({ logs });
    expect(t.trail.record({}, event("call"))).toRefuse("AUDITOR_CLASS");
    expect(t.trail.record({}, event("log")).allowed).toBe(true);
  });

  test("gives time 0 for a clock that gives none", async () => {
    await using t = await testTrail();
    t.clock.setWallMs(-5);
    t.trail.record({}, event("call"));
    expect((await t.events("activity"))[0]?.time).toBe(0);
  });

  test("says durable only when what was recorded before is durable, too, in any class", async () => {
    const gate = Promise.withResolvers<void>();
    const stuck = stuckLog(gate.promise);
    const logs = new Map(
      CLASSES.map((kept) => [kept, kept === "security" ? stuck : createMemoryLog(kept)]),
    );
    await using t = await testTrail({ logs });
    const denied = t.trail.record({}, event("deny", { success: false }));
    const called = t.trail.record({}, event("call"));
    if (!denied.allowed || !called.allowed) throw new Error("refused");
    let isDurable = false;
    const durable = called.value.durable.then((receipt) => {
      isDurable = true;
      return receipt;
    });
    await Promise.race([durable, new Promise((resolve) => setImmediate(resolve))]);
    expect(isDurable).toBe(false);
    gate.resolve();
    expect(await durable).toMatchObject({ origin: "activity", index: 0 });
  });
});

/** A log whose entries become durable when the gate opens. */
function stuckLog(gate: Promise<void>): AuditLog {
  const log = createMemoryLog("security");
  let queuedEntries = 1;
  void gate.then(() => (queuedEntries = 0));
  return { ...log, state: () => ({ ...log.state(), queuedEntries }), flush: () => gate };
}
