/** @module A limiter key for each request (CWE-770): memory must not grow, and no rate be bought back. */
import "@glovebox/testkit/matchers";
import { createLimiter } from "@glovebox/limiter";
import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { granted, hold, plugin, tenant } from "../admission.ts";

test("a hundred thousand keys leave no more entries than the table holds", () => {
  const clock = fakeClock();
  const limiter = createLimiter(
    { ratePerSecond: 10, tenantRatePerSecond: 10, maxKeys: 100 },
    { clock },
  );
  for (let i = 0; i < 100_000; i += 1) {
    clock.advance(1);
    const decision = limiter.tryAdmit({ pluginId: plugin(`p-${i}`), tenantId: tenant(`t-${i}`) });
    if (decision.allowed) decision.value.release();
  }
  const { plugins, tenants, evictedKeys, running } = limiter.status();
  expect([plugins, tenants, running]).toEqual([100, 100, 0]);
  expect(evictedKeys).toBeGreaterThan(0);
});

test("a flood of keys does not give a plugin its spent rate back", () => {
  const clock = fakeClock();
  const limiter = createLimiter({ ratePerSecond: 1, maxKeys: 10 }, { clock });
  const spent = plugin("spent");
  hold(limiter, spent).release();
  const refusals = new Set<string>();
  for (let i = 0; i < 1_000; i += 1) {
    const decision = limiter.tryAdmit({ pluginId: plugin(`p-${i}`) });
    if (decision.allowed) decision.value.release();
    else refusals.add(decision.code);
  }
  expect([...refusals]).toEqual(["LIMITER_KEYS"]);
  expect(limiter.tryAdmit({ pluginId: spent })).toRefuse("LIMITER_RATE");
  expect(limiter.status().plugins).toBe(10);
});

test("a flood of keys drops neither a running call's count nor a throttle", () => {
  const limiter = createLimiter({ maxConcurrentPerPlugin: 1, maxKeys: 4 });
  const running = plugin("running");
  const throttled = plugin("throttled");
  hold(limiter, running);
  granted(limiter.setThrottle(throttled, 1));
  for (let i = 0; i < 1_000; i += 1) hold(limiter, plugin(`p-${i}`)).release();
  expect(limiter.tryAdmit({ pluginId: running })).toRefuse("LIMITER_CONCURRENCY");
  expect(limiter.tryAdmit({ pluginId: throttled })).toRefuse("LIMITER_THROTTLED");
});

test("a table full of plugins in use refuses new ones, and says that waiting helps", async () => {
  const limiter = createLimiter({ maxKeys: 2 });
  const first = hold(limiter, plugin("a"));
  hold(limiter, plugin("b"));
  const refused = limiter.tryAdmit({ pluginId: plugin("c") });
  expect(refused).toRefuse("LIMITER_KEYS");
  expect(refused).toHaveProperty("retryAfterMs");
  await expect(limiter.admit({ pluginId: plugin("c") })).toRefuse("LIMITER_KEYS");
  expect(limiter.setThrottle(plugin("c"), 0.5)).toRefuse("LIMITER_KEYS");
  first.release();
  hold(limiter, plugin("c"));
});

test("a table full of tenants in use refuses new ones", () => {
  const limiter = createLimiter({ maxKeys: 1, tenantRatePerSecond: 1 }, { clock: fakeClock() });
  const pluginId = plugin("a");
  granted(limiter.tryAdmit({ pluginId, tenantId: tenant("t1") }));
  const refused = limiter.tryAdmit({ pluginId, tenantId: tenant("t2") });
  expect(refused).toMatchObject({ code: "LIMITER_KEYS", rule: "limiter.keys.tenant" });
});
