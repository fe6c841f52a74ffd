/**
 * CWE-770, CWE-779 (threats.md: audit-flood): one plugin makes 100,000 denied calls a second. Other
 * plugins must go on, the disk must not fill, and operators must not be kept out.
 */
import type { AuditEvent, OperationScope } from "@glovebox/core/ports";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { event } from "../fixture.ts";
import { testTrail } from "../trail.ts";

const scopeOf = (pluginId: string): OperationScope => ({ pluginId }) as unknown as OperationScope;
const FLOODER = scopeOf("flooder");
const OTHER = scopeOf("other");
const DENIAL: AuditEvent = {
  kind: "deny",
  success: false,
  code: "BROKER_HOST_NOT_GRANTED",
  rule: "network.hosts",
  error: "no",
};

describe("100,000 equal denials in a second", () => {
  test("become some hundred events and one that counts the rest", async () => {
    await using t = await testTrail();
    for (let n = 0; n < 100_000; n += 1) {
      if (n % 100 === 0) t.clock.advance(1);
      expect(t.trail.record(FLOODER, DENIAL).allowed).toBe(true);
    }
    t.clock.advance(1_000);
    const events = await t.events();
    expect(events.length).toBeLessThan(1_500);
    const counted = events.filter(({ count }) => count !== undefined);
    const total = counted.reduce((sum, { count = 0 }) => sum + count, 0);
    // Nothing is lost: what was not written one by one was counted.
    expect(total + events.length - counted.length).toBe(100_000);
    expect(counted[0]).toMatchObject({
      kind: "deny",
      success: false,
      code: DENIAL.code,
      rule: DENIAL.rule,
      pluginId: "flooder",
    });
    const { firstTime = Infinity, time } = counted[0] ?? {};
    expect(firstTime).toBeLessThanOrEqual(time ?? 0);
  });

  test("report the plugin once per window, so that it can be slowed down", async () => {
    await using t = await testTrail();
    for (let n = 0; n < 50_000; n += 1) t.trail.record(FLOODER, DENIAL);
    expect(t.floods).toEqual([
      expect.objectContaining({ pluginId: "flooder", code: "AUDITOR_PLUGIN_BUDGET" }),
    ]);
  });

  test("leave the events of other plugins as they are", async () => {
    await using t = await testTrail();
    for (let n = 0; n < 10_000; n += 1) {
      t.trail.record(FLOODER, DENIAL);
      if (n % 20 === 0) t.trail.record(OTHER, DENIAL);
    }
    const events = await t.events();
    const ofOther = events.filter(({ pluginId }) => pluginId === "other");
    expect(ofOther).toHaveLength(500);
    expect(ofOther.every(({ count }) => count === undefined)).toBe(true);
    expect(t.floods.map(({ pluginId }) => pluginId)).toEqual(["flooder"]);
  });
});

test("inventing codes does not get a flood past its budget, nor take memory", async () => {
  await using t = await testTrail();
  for (let n = 0; n < 20_000; n += 1) {
    t.trail.record(FLOODER, { ...DENIAL, code: `INVENTED_${n}` });
  }
  t.clock.advance(1_000);
  const events = await t.events();
  expect(events.length).toBeLessThan(1_100);
  const counted = events.filter(({ count }) => count !== undefined);
  expect(counted.length).toBeLessThanOrEqual(16);
  expect(counted.at(-1)?.details).toEqual({ folded: "different" });
});

test("inventing plugins does not either: their budgets are bounded", async () => {
  await using t = await testTrail();
  for (let n = 0; n < 5_000; n += 1) t.trail.record(scopeOf(`p${n}`), DENIAL);
  expect(await t.events()).toHaveLength(5_000);
});

test("a denial that is only counted is answered with the place where its kind was written", async () => {
  await using t = await testTrail();
  const places: number[] = [];
  for (let n = 0; n < 1_100; n += 1) {
    const decision = t.trail.record(FLOODER, DENIAL);
    if (decision.allowed) places.push(decision.value.place);
  }
  expect(places.at(-1)).toBe(1_000);
  expect(places.filter((place) => place === 1_000)).toHaveLength(100);
});

test("what would have an effect is refused over the budget, and says when to come back", async () => {
  await using t = await testTrail({ flood: { eventsPerSecond: 10, eventBurst: 5 } });
  for (let n = 0; n < 5; n += 1) expect(t.trail.record(FLOODER, event("http")).allowed).toBe(true);
  const refusal = t.trail.record(FLOODER, event("http"));
  expect(refusal).toRefuse("AUDITOR_PLUGIN_BUDGET");
  expect(refusal).toMatchObject({ retryAfterMs: 100 });
  expect(t.trail.record(OTHER, event("http")).allowed).toBe(true);
  t.clock.advance(100);
  expect(t.trail.record(FLOODER, event("http")).allowed).toBe(true);
  expect(await t.events("activity")).toHaveLength(7);
});

test("operators, violations and quarantine have no budget, also about the plugin that floods", async () => {
  await using t = await testTrail({ flood: { eventsPerSecond: 1, eventBurst: 1 } });
  for (let n = 0; n < 1_000; n += 1) t.trail.record(FLOODER, DENIAL);
  for (const kind of ["operator", "violation", "quarantine", "revoke", "throttle", "alert"]) {
    expect(t.trail.record(FLOODER, event(kind, { success: false })).allowed).toBe(true);
  }
});

test("what was counted is written when the log is closed before the window ends", async () => {
  await using t = await testTrail();
  for (let n = 0; n < 1_100; n += 1) t.trail.record(FLOODER, DENIAL);
  await t.trail.close();
  expect((await t.events()).at(-1)).toMatchObject({ count: 99 });
});

describe("a disk that is almost full", () => {
  test("stops plugins and not operators, and says so in the log", async () => {
    await using t = await testTrail();
    expect(t.trail.record(FLOODER, event("http")).allowed).toBe(true);
    t.disk.free = 1_000_000;
    t.clock.advance(1_000);
    t.trail.record(FLOODER, event("http"));
    await expect
      .poll(() => t.trail.record(FLOODER, event("http")))
      .toMatchObject({
        allowed: false,
        code: "AUDITOR_DISK_RESERVED",
        retryAfterMs: 5_000,
      });
    expect(t.trail.record({}, event("operator")).allowed).toBe(true);
    expect(t.trail.record(FLOODER, event("violation", { success: false })).allowed).toBe(true);
    const kinds = (await t.events()).map(({ kind, success }) => [kind, success]);
    expect(kinds).toContainEqual(["alert", false]);
  });

  test("gives up the file that held the room, so that operators really have it", async () => {
    await using t = await testTrail();
    expect(t.disk.held).toBe(16_777_216);
    t.disk.free = 1_000;
    t.clock.advance(1_000);
    t.trail.record(FLOODER, event("http"));
    await expect.poll(() => t.disk.held).toBe(0);
    expect(t.disk.free).toBe(16_777_216 + 1_000);
  });

  test("lets plugins go on once there is room, and takes the reserve again", async () => {
    await using t = await testTrail();
    t.disk.free = 1_000;
    t.clock.advance(1_000);
    t.trail.record(FLOODER, event("http"));
    await expect.poll(() => t.disk.held).toBe(0);
    t.disk.free = 10 ** 12;
    t.clock.advance(1_000);
    await expect.poll(() => t.trail.record(FLOODER, event("http")).allowed).toBe(true);
    expect(t.disk.held).toBe(16_777_216);
  });

  test("that cannot be asked counts as full (I9)", async () => {
    await using t = await testTrail();
    t.disk.free = Number.NaN;
    t.clock.advance(1_000);
    t.trail.record(FLOODER, event("http"));
    await expect.poll(() => t.trail.record(FLOODER, event("http")).allowed).toBe(false);
  });

  test("is looked at again after four megabytes, however fast they came", async () => {
    await using t = await testTrail();
    t.disk.free = 1_000_000;
    const large = event("http", { error: "x".repeat(60_000) });
    for (let n = 0; n < 80; n += 1) t.trail.record(FLOODER, large);
    await expect.poll(() => t.trail.record(FLOODER, large).allowed).toBe(false);
    expect((await t.events("activity")).length).toBeLessThan(200);
  });
});
