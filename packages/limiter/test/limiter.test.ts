import "@glovebox/testkit/matchers";
import { createLimiter } from "@glovebox/limiter";
import { fakeClock } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { granted, hold, plugin, queue, tenant, turn } from "./admission.ts";

const a = plugin("a");
const b = plugin("b");

describe("slots", () => {
  test("a plugin runs as many calls at once as it may, and others are not in its way", () => {
    const limiter = createLimiter({ maxConcurrentPerPlugin: 2 });
    hold(limiter, a);
    const second = hold(limiter, a);
    const refused = limiter.tryAdmit({ pluginId: a });
    expect(refused).toRefuse("LIMITER_CONCURRENCY");
    expect(refused).toMatchObject({
      rule: "limiter.slots.plugin",
      retryAfterMs: expect.any(Number),
    });
    hold(limiter, b);
    second.release();
    hold(limiter, a);
  });

  test("the host runs as many calls at once as it may", () => {
    const limiter = createLimiter({ maxConcurrent: 2, maxConcurrentPerPlugin: 2 });
    hold(limiter, a);
    hold(limiter, b);
    const refused = limiter.tryAdmit({ pluginId: a });
    expect(refused).toRefuse("LIMITER_CONCURRENCY");
    expect(refused).toMatchObject({ rule: "limiter.slots.host" });
  });

  test("a permit gives its slot back once, however often it is released", () => {
    const limiter = createLimiter({ maxConcurrent: 2, maxConcurrentPerPlugin: 2 });
    hold(limiter, a);
    const permit = hold(limiter, a);
    expect([permit.release(), permit.release()]).toEqual([true, false]);
    permit[Symbol.dispose]();
    expect(limiter.status().running).toBe(1);
    hold(limiter, a);
    expect(limiter.tryAdmit({ pluginId: a })).toRefuse("LIMITER_CONCURRENCY");
  });

  test("a permit releases itself at the end of its block", () => {
    const limiter = createLimiter();
    {
      using permit = hold(limiter, a);
      expect([permit.waitedMs, limiter.status().running]).toEqual([0, 1]);
    }
    expect(limiter.status().running).toBe(0);
  });

  test("an allowance names its rule like any other decision", () => {
    expect(createLimiter().tryAdmit({ pluginId: a })).toMatchObject({
      allowed: true,
      rule: "limiter.slots",
    });
  });
});

describe("the queue", () => {
  test("a waiting call gets the slot that is released, and knows how long it waited", async () => {
    const clock = fakeClock();
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1 }, { clock });
    const running = hold(limiter, a);
    const waiting = queue(limiter, a);
    clock.advance(40);
    await turn();
    expect(waiting.settled()).toBe(false);
    running.release();
    expect(granted(await waiting.answer).waitedMs).toBe(40);
    expect(limiter.status()).toMatchObject({ running: 1, waiting: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  test("calls of one plugin start in the order of their arrival", async () => {
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1 });
    const running = hold(limiter, a);
    const waiting = [queue(limiter, a), queue(limiter, a)];
    running.release();
    await turn();
    expect(waiting.map(({ settled }) => settled())).toEqual([true, false]);
  });

  test("nobody who arrives later overtakes a waiting call", async () => {
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1 });
    const running = hold(limiter, a);
    const waiting = queue(limiter, a);
    running.release();
    expect(limiter.tryAdmit({ pluginId: a })).toRefuse("LIMITER_CONCURRENCY");
    granted(await waiting.answer);
  });

  test("a plugin whose own slots are taken does not hold up others that wait for the host", async () => {
    const limiter = createLimiter({ maxConcurrent: 2, maxConcurrentPerPlugin: 1 });
    hold(limiter, a);
    const other = hold(limiter, plugin("c"));
    const blocked = queue(limiter, a);
    const free = queue(limiter, b);
    other.release();
    granted(await free.answer);
    expect(blocked.settled()).toBe(false);
  });

  test("is bounded for each plugin", async () => {
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1, maxQueuedPerPlugin: 2 });
    hold(limiter, a);
    queue(limiter, a);
    queue(limiter, a);
    const refused = await limiter.admit({ pluginId: a });
    expect(refused).toRefuse("LIMITER_QUEUE_FULL");
    expect(refused).toMatchObject({ rule: "limiter.queue.plugin" });
  });

  test("takes nobody when it has no room at all", async () => {
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1, maxQueued: 0 });
    hold(limiter, a);
    await expect(limiter.admit({ pluginId: a })).toRefuse("LIMITER_QUEUE_FULL");
  });

  test("a call waits no longer than it may", async () => {
    const clock = fakeClock();
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1, maxQueueWaitMs: 50 }, { clock });
    const running = hold(limiter, a);
    const { answer } = queue(limiter, a);
    clock.advance(50);
    await expect(answer).toRefuse("LIMITER_QUEUE_TIMEOUT");
    running.release();
    expect(limiter.status()).toMatchObject({ running: 0, waiting: 0 });
  });

  test("a call whose caller gives up settles, and its place is free at once", async () => {
    const clock = fakeClock();
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1, maxQueuedPerPlugin: 1 }, { clock });
    const running = hold(limiter, a);
    const caller = new AbortController();
    const { answer } = queue(limiter, a, caller.signal);
    caller.abort();
    await expect(answer).toRefuse("LIMITER_ABORTED");
    const next = queue(limiter, a);
    running.release();
    granted(await next.answer);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a caller that gave up before it asked takes no slot", async () => {
    const limiter = createLimiter();
    await expect(limiter.admit({ pluginId: a, signal: AbortSignal.abort() })).toRefuse(
      "LIMITER_ABORTED",
    );
    expect(limiter.status().running).toBe(0);
  });

  test("an abort after the permit was given takes nothing back", async () => {
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1 });
    const running = hold(limiter, a);
    const caller = new AbortController();
    const { answer } = queue(limiter, a, caller.signal);
    running.release();
    caller.abort();
    const permit = granted(await answer);
    expect([limiter.status().running, permit.release()]).toEqual([1, true]);
  });

  test("closing settles every waiting call and refuses new ones; running calls can release", async () => {
    const clock = fakeClock();
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1 }, { clock });
    const running = hold(limiter, a);
    hold(limiter, b);
    const waiting = [queue(limiter, a), queue(limiter, a), queue(limiter, b)];
    limiter.close();
    for (const { answer } of waiting) await expect(answer).toRefuse("LIMITER_CLOSED");
    expect(limiter.tryAdmit({ pluginId: a })).toRefuse("LIMITER_CLOSED");
    await expect(limiter.admit({ pluginId: a })).toRefuse("LIMITER_CLOSED");
    expect(running.release()).toBe(true);
    expect(limiter.status()).toMatchObject({ running: 1, waiting: 0 });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("rates", () => {
  test("a plugin that comes too fast is told when to come back, and that is exact", () => {
    const clock = fakeClock();
    const limiter = createLimiter({ ratePerSecond: 10, burst: 2 }, { clock });
    hold(limiter, a);
    hold(limiter, a);
    const refused = limiter.tryAdmit({ pluginId: a });
    expect(refused).toRefuse("LIMITER_RATE");
    expect(refused).toMatchObject({ rule: "limiter.rate.plugin", retryAfterMs: 100 });
    hold(limiter, b);
    clock.advance(99);
    expect(limiter.tryAdmit({ pluginId: a })).toRefuse("LIMITER_RATE");
    clock.advance(1);
    hold(limiter, a);
  });

  test("a call over its rate is refused at once and does not wait in the queue", async () => {
    const limiter = createLimiter(
      { ratePerSecond: 1, maxConcurrentPerPlugin: 1 },
      { clock: fakeClock() },
    );
    hold(limiter, a);
    await expect(limiter.admit({ pluginId: a })).toRefuse("LIMITER_RATE");
    expect(limiter.status().waiting).toBe(0);
  });

  test("a call that is refused for want of a slot has not used the rate", () => {
    const clock = fakeClock();
    const limiter = createLimiter(
      { ratePerSecond: 1, burst: 2, maxConcurrentPerPlugin: 1 },
      { clock },
    );
    const permit = hold(limiter, a);
    for (let i = 0; i < 10; i += 1) limiter.tryAdmit({ pluginId: a });
    permit.release();
    expect(limiter.tryAdmit({ pluginId: a })).toHaveProperty("allowed", true);
  });

  test("a tenant's rate holds across plugins, and leaves other tenants alone", () => {
    const limiter = createLimiter({ tenantRatePerSecond: 1 }, { clock: fakeClock() });
    granted(limiter.tryAdmit({ pluginId: a, tenantId: tenant("t1") }));
    const refused = limiter.tryAdmit({ pluginId: b, tenantId: tenant("t1") });
    expect(refused).toRefuse("LIMITER_RATE");
    expect(refused).toMatchObject({ rule: "limiter.rate.tenant", retryAfterMs: 1_000 });
    granted(limiter.tryAdmit({ pluginId: b, tenantId: tenant("t2") }));
    granted(limiter.tryAdmit({ pluginId: b }));
  });

  test("a tenant over its rate does not use up the plugin's", () => {
    const options = { ratePerSecond: 1, burst: 2, tenantRatePerSecond: 1 };
    const limiter = createLimiter(options, { clock: fakeClock() });
    granted(limiter.tryAdmit({ pluginId: a, tenantId: tenant("greedy") }));
    for (let i = 0; i < 10; i += 1) limiter.tryAdmit({ pluginId: a, tenantId: tenant("greedy") });
    const modest = limiter.tryAdmit({ pluginId: a, tenantId: tenant("modest") });
    expect(modest).toHaveProperty("allowed", true);
  });
});

describe("throttle levels", () => {
  test("a level leaves the rest of slots and rate, and 0 restores them", () => {
    const clock = fakeClock();
    const limiter = createLimiter(
      { maxConcurrentPerPlugin: 4, ratePerSecond: 10, burst: 8 },
      { clock },
    );
    granted(limiter.setThrottle(a, 0.75));
    expect(limiter.throttleOf(a)).toBe(0.75);
    hold(limiter, a).release();
    const running = hold(limiter, a);
    expect(limiter.tryAdmit({ pluginId: a })).toRefuse("LIMITER_CONCURRENCY");
    running.release();
    expect(limiter.tryAdmit({ pluginId: a })).toMatchObject({
      code: "LIMITER_RATE",
      retryAfterMs: 400,
    });
    granted(limiter.setThrottle(a, 0));
    for (let i = 0; i < 4; i += 1) hold(limiter, a);
  });

  test("a throttled plugin gets a rate where none is set", () => {
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1 }, { clock: fakeClock() });
    granted(limiter.setThrottle(a, 0.5));
    hold(limiter, a).release();
    expect(limiter.tryAdmit({ pluginId: a })).toMatchObject({
      code: "LIMITER_RATE",
      retryAfterMs: 20,
    });
  });

  test("level 1 stops the plugin: new and waiting calls are refused, waiting does not help", async () => {
    const limiter = createLimiter({ maxConcurrentPerPlugin: 1 });
    const running = hold(limiter, a);
    const { answer } = queue(limiter, a);
    granted(limiter.setThrottle(a, 1));
    await expect(answer).toRefuse("LIMITER_THROTTLED");
    running.release();
    const refused = limiter.tryAdmit({ pluginId: a });
    expect(refused).toRefuse("LIMITER_THROTTLED");
    expect(refused).not.toHaveProperty("retryAfterMs");
    hold(limiter, b);
  });

  test("raising the slots of a plugin starts its waiting calls", async () => {
    const clock = fakeClock();
    const limiter = createLimiter({ maxConcurrentPerPlugin: 2 }, { clock });
    granted(limiter.setThrottle(a, 0.5));
    hold(limiter, a);
    clock.advance(20);
    const waiting = queue(limiter, a);
    await turn();
    expect(waiting.settled()).toBe(false);
    granted(limiter.setThrottle(a, 0));
    granted(await waiting.answer);
  });

  test("a level is refused only when it is no level", () => {
    const limiter = createLimiter();
    expect(() => limiter.setThrottle(a, 1.1)).toThrowCode("LIMITER_OPTION");
    expect(() => limiter.setThrottle(a, Number.NaN)).toThrowCode("LIMITER_OPTION");
    expect(granted(limiter.setThrottle(a, 0))).toBe(0);
    expect([limiter.throttleOf(a), limiter.status().plugins]).toEqual([0, 0]);
  });
});

test.each([
  { maxConcurrent: 0 },
  { maxConcurrentPerPlugin: 1.5 },
  { maxQueued: -1 },
  { maxQueuedPerPlugin: Number.NaN },
  { maxQueueWaitMs: 0 },
  { ratePerSecond: 0 },
  { ratePerSecond: Number.NaN },
  { ratePerSecond: 1, burst: 0 },
  { burst: 5 },
  { tenantBurst: 5 },
  { maxKeys: 0 },
])("refuses to be made with %j", (options) => {
  expect(() => createLimiter(options)).toThrowCode("LIMITER_OPTION");
});
