import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event } from "../fixture.ts";
import { testTrail, type TestTrail } from "../trail.ts";

const DAY_MS = 86_400_000;

function calls(t: TestTrail, count: number): void {
  for (let n = 0; n < count; n += 1) t.trail.record({}, event("call"));
}

describe("a clean-up", () => {
  test("removes whole bundles that are older than their class is kept, and says so before", async () => {
    await using t = await testTrail({ cleanUpEveryMs: Infinity });
    calls(t, 700);
    t.trail.record({}, event("operator"));
    t.clock.advance(91 * DAY_MS);
    calls(t, 100);
    expect(await t.trail.retention.cleanUp()).toEqual([
      { class: "security", removed: 0, minimumIndex: 0 },
      { class: "activity", removed: 512, minimumIndex: 512 },
      { class: "operations", removed: 0, minimumIndex: 0 },
    ]);
    expect(t.logs.get("activity")?.state().minimumIndex).toBe(512);
    expect((await t.events()).at(-1)).toMatchObject({
      kind: "prune",
      success: true,
      details: { class: "activity", origin: "host.example/activity", from: 0, to: 512, days: 90 },
    });
    // What was pruned is not found, what was not is.
    expect((await t.trail.query({ kind: "call", limit: 1_000 })).events).toHaveLength(288);
  });

  test("keeps a bundle with one young event, one that cannot be read, and one of a clock set back", async () => {
    await using t = await testTrail({ cleanUpEveryMs: Infinity });
    t.logs.get("operations")?.tryAppend("opaque");
    for (let n = 0; n < 300; n += 1) t.trail.record({}, event("log"));
    calls(t, 100);
    t.clock.setWallMs(t.clock.wallMs() + 200 * DAY_MS);
    calls(t, 1);
    t.clock.setWallMs(t.clock.wallMs() - 200 * DAY_MS);
    calls(t, 200);
    t.clock.advance(100 * DAY_MS);
    const removed = (await t.trail.retention.cleanUp()).map((one) => one.removed);
    expect(removed).toEqual([0, 0, 0]);
  });

  test("follows the windows of the options, and keeps for ever what is kept for ever", async () => {
    await using t = await testTrail({
      cleanUpEveryMs: Infinity,
      retentionDays: { activity: 1, operations: Infinity },
    });
    calls(t, 256);
    for (let n = 0; n < 256; n += 1) t.trail.record({}, event("log"));
    t.clock.advance(DAY_MS + 1);
    const removed = (await t.trail.retention.cleanUp()).map((one) => one.removed);
    expect(removed).toEqual([0, 256, 0]);
  });

  test("comes by schedule", async () => {
    await using t = await testTrail({ cleanUpEveryMs: 60_000, retentionDays: { activity: 0 } });
    calls(t, 256);
    t.clock.advance(60_000);
    await expect.poll(() => t.logs.get("activity")?.state().minimumIndex).toBe(256);
    calls(t, 256);
    await expect.poll(() => t.clock.pendingTimers).toBeGreaterThan(0);
    t.clock.advance(60_000);
    await expect.poll(() => t.logs.get("activity")?.state().minimumIndex).toBe(512);
  });

  test("comes ten minutes after a start, for a host that is started anew every day", async () => {
    await using t = await testTrail({ retentionDays: { activity: 0 } });
    calls(t, 256);
    t.clock.advance(600_000);
    await expect.poll(() => t.logs.get("activity")?.state().minimumIndex).toBe(256);
  });

  test("by hand says who asked for it, and why", async () => {
    await using t = await testTrail({ cleanUpEveryMs: Infinity, retentionDays: { activity: 0 } });
    calls(t, 256);
    t.clock.advance(1);
    await t.trail.retention.cleanUp({ actor: "operator:dpo", reason: "yearly" });
    expect((await t.events()).at(-1)).toMatchObject({
      kind: "prune",
      actor: "operator:dpo",
      details: { reason: "yearly", to: 256 },
    });
  });

  test("removes nothing when the log does not take the record of it", async () => {
    await using t = await testTrail({ cleanUpEveryMs: Infinity, retentionDays: { activity: 0 } });
    calls(t, 256);
    t.clock.advance(1);
    const security = t.logs.get("security");
    if (security === undefined) throw new Error("no log");
    security.tryAppend = () => ({
      allowed: false,
      code: "AUDITOR_POISONED",
      rule: "audit.log",
      reason: "disk",
    });
    await t.trail.retention.cleanUp();
    expect(t.logs.get("activity")?.state().minimumIndex).toBe(0);
  });
});

describe("a legal hold", () => {
  test("keeps a class as it is, also in the next process, until it is lifted", async () => {
    await using t = await testTrail({ cleanUpEveryMs: Infinity, retentionDays: { activity: 0 } });
    calls(t, 256);
    t.clock.advance(1);
    const hold = await t.trail.retention.placeHold({ class: "activity" }, "case 7", "operator:dpo");
    if (!hold.allowed) throw new Error(hold.reason);
    expect(await t.trail.retention.cleanUp()).toContainEqual({
      class: "activity",
      removed: 0,
      minimumIndex: 0,
      hold: hold.value,
    });
    await t.trail.close();
    const next = await t.reopen({ cleanUpEveryMs: Infinity, retentionDays: { activity: 0 } });
    expect(next.retention.holds()).toEqual([hold.value]);
    expect((await next.retention.cleanUp())[1]?.removed).toBe(0);
    await next.retention.liftHold(hold.value.id, "case closed", "operator:dpo");
    expect((await next.retention.cleanUp())[1]?.removed).toBe(256);
    await next.close();
    const said = (await t.events()).filter(({ kind }) => kind === "hold");
    expect(said.map(({ rule, actor }) => [rule, actor])).toEqual([
      ["hold.place", "operator:dpo"],
      ["hold.lift", "operator:dpo"],
    ]);
  });

  test("on a person is named by the person, and kept by the pseudonym", async () => {
    await using t = await testTrail();
    const { retention, erasure } = t.trail;
    expect(await retention.placeHold({ person: "alice" }, "case 7")).toRefuse(
      "AUDITOR_PERSON_UNKNOWN",
    );
    t.trail.record({}, event("call", { userId: "alice" }));
    const { subject } = t.keys.obtain("alice");
    const hold = await retention.placeHold({ person: "alice" }, "case 7");
    expect(hold).toMatchObject({ allowed: true, value: { target: { subject } } });
    expect(await erasure.erase("alice", { reason: "GDPR 17" })).toRefuse("AUDITOR_HELD");
    expect(await readFile(join(t.directory, "holds.json"), "utf8")).not.toContain("alice");
  });

  test("is not lost when several are placed and lifted at once", async () => {
    await using t = await testTrail();
    const { retention } = t.trail;
    const first = await retention.placeHold({ class: "activity" }, "case 0");
    if (!first.allowed) throw new Error(first.reason);
    const placed = [1, 2, 3, 4].map((n) => retention.placeHold({ class: "security" }, `case ${n}`));
    await Promise.all([...placed, retention.liftHold(first.value.id, "closed")]);
    await t.trail.close();
    const next = await t.reopen();
    const reasons = next.retention.holds().map(({ reason }) => reason);
    expect(reasons.toSorted()).toEqual(["case 1", "case 2", "case 3", "case 4"]);
    await next.close();
  });

  test("that is not there cannot be lifted", async () => {
    await using t = await testTrail();
    expect(await t.trail.retention.liftHold("x", "why")).toRefuse("AUDITOR_HOLD");
  });

  test.each([
    ["cut", "[{"],
    ["of something else", "{}"],
    ["of what is no hold", '[{"id":1}]'],
    ["of an unknown class", '[{"id":"a","reason":"r","sinceMs":1,"target":{"class":"all"}}]'],
  ])(
    "file that is %s stops the trail from opening: nothing is pruned on a guess",
    async (_, text) => {
      await using t = await testTrail();
      await t.trail.close();
      await writeFile(join(t.directory, "holds.json"), text);
      await expect(t.reopen()).rejects.toThrowCode("AUDITOR_HOLD");
    },
  );

  test("is kept in a file that only the owner can read", async () => {
    await using t = await testTrail();
    await t.trail.retention.placeHold({ class: "security" }, "case 7");
    const path = join(t.directory, "holds.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, "utf8"))).toHaveLength(1);
  });
});
