/** @module A plugin traps on purpose to burn a budget that it shares with others (CWE-400). */
import { createBudgets, createCpuRate } from "@glovebox/limiter";
import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { granted, plugin, tenant } from "../admission.ts";

const tenantId = tenant("shared");
const attacker = { pluginId: plugin("attacker"), tenantId };
const honest = { pluginId: plugin("honest"), tenantId };

test("a trap costs the tenant the CPU time that it took, not the whole reservation", () => {
  const budgets = createBudgets(
    { tenant: { capacity: 1000, perSecond: 1 } },
    { clock: fakeClock() },
  );
  const rate = createCpuRate({ minPerMs: 10, maxPerMs: 100 });
  const trapped = granted(budgets.reserve(attacker, 1000));
  trapped.settle(rate.unitsFor(0.2));
  expect(budgets.useOf(honest).tenant).toMatchObject({ used: 2, remaining: 998 });
  granted(budgets.reserve(honest, 900));
});

test("slow instructions of the attacker do not make its own traps cheap", () => {
  const rate = createCpuRate({ minPerMs: 10, maxPerMs: 1000 });
  rate.observe(10_000, 10);
  for (let call = 0; call < 50; call += 1) rate.observe(1, 10);
  expect(rate.unitsFor(1)).toBeGreaterThan(500);
});
