import "@glovebox/testkit/matchers";
import { type BudgetDeps, createBudgets } from "@glovebox/limiter";
import { fakeClock } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { granted, plugin, tenant, turn } from "../admission.ts";

const a = { pluginId: plugin("a"), tenantId: tenant("t") };
const b = { pluginId: plugin("b"), tenantId: tenant("t") };
const HUNDRED = { capacity: 100, perSecond: 10 };

describe("a budget", () => {
  test("holds back what is reserved and gives back what was not used", () => {
    const budgets = createBudgets({ plugin: HUNDRED }, { clock: fakeClock() });
    const first = granted(budgets.reserve(a, 70));
    expect(budgets.reserve(a, 40)).toRefuse("LIMITER_BUDGET");
    expect(budgets.useOf(a).plugin).toEqual({
      used: 0,
      reserved: 70,
      peakReserved: 70,
      remaining: 30,
    });
    expect([first.settle(20), first.settle(0)]).toEqual([true, false]);
    expect(budgets.useOf(a).plugin).toEqual({
      used: 20,
      reserved: 0,
      peakReserved: 70,
      remaining: 80,
    });
  });

  test("comes back with time, after exactly as long as the refusal said", () => {
    const clock = fakeClock();
    const budgets = createBudgets({ plugin: { capacity: 100, perSecond: 3 } }, { clock });
    granted(budgets.reserve(a, 100)).settle(100);
    const refused = budgets.reserve(a, 1);
    expect(refused).toMatchObject({ rule: "limiter.budget.plugin", retryAfterMs: 334 });
    clock.advance(333);
    expect(budgets.reserve(a, 1)).toRefuse("LIMITER_BUDGET");
    clock.advance(1);
    granted(budgets.reserve(a, 1));
  });

  test("never holds more than its capacity, and says so where waiting is in vain", () => {
    const clock = fakeClock();
    const budgets = createBudgets({ plugin: HUNDRED }, { clock });
    clock.advance(3_600_000);
    const refused = budgets.reserve(a, 101);
    expect(refused).toRefuse("LIMITER_BUDGET");
    expect(refused).not.toHaveProperty("retryAfterMs");
  });

  test("is taken from all levels or from none", () => {
    const budgets = createBudgets(
      { plugin: HUNDRED, tenant: HUNDRED, host: { capacity: 150, perSecond: 10 } },
      { clock: fakeClock() },
    );
    granted(budgets.reserve(a, 60));
    expect(budgets.reserve(b, 60)).toMatchObject({ rule: "limiter.budget.tenant" });
    expect(budgets.useOf(b)).toMatchObject({ host: { reserved: 60 }, plugin: { reserved: 0 } });
    const other = { pluginId: plugin("b"), tenantId: tenant("u") };
    expect(budgets.reserve(other, 95)).toMatchObject({ rule: "limiter.budget.host" });
    granted(budgets.reserve({ pluginId: plugin("b") }, 90));
  });

  test("turns what was used beyond the reservation into a debt", () => {
    const clock = fakeClock();
    const budgets = createBudgets({ plugin: HUNDRED }, { clock });
    granted(budgets.reserve(a, 10)).settle(150);
    expect(budgets.useOf(a).plugin?.remaining).toBe(-50);
    expect(budgets.reserve(a, 1)).toMatchObject({ retryAfterMs: 5100 });
    clock.advance(5100);
    granted(budgets.reserve(a, 1));
  });

  test("charges a reservation that was never settled in full", () => {
    const budgets = createBudgets({ plugin: HUNDRED }, { clock: fakeClock() });
    {
      using _lost = granted(budgets.reserve(a, 70));
    }
    expect(budgets.useOf(a).plugin).toMatchObject({ used: 70, reserved: 0, remaining: 30 });
  });

  test("limits nothing at a level that is left out", () => {
    const budgets = createBudgets({});
    granted(budgets.reserve(a, Number.MAX_SAFE_INTEGER));
    expect(budgets.useOf(a)).toEqual({});
  });

  test.each([
    [{ plugin: { capacity: 0, perSecond: 1 } }, "plugin.capacity"],
    [{ tenant: { capacity: 1, perSecond: Number.NaN } }, "tenant.perSecond"],
    [{ host: { capacity: Infinity, perSecond: 1 } }, "host.capacity"],
    [{ maxKeys: 0 }, "maxKeys"],
  ])("refuses %j, naming the option", (options, name) => {
    expect(() => createBudgets(options)).toThrow(name);
  });

  test.each([-1, Number.NaN, Infinity])("refuses an amount of %d", (amount) => {
    const budgets = createBudgets({ plugin: HUNDRED }, { clock: fakeClock() });
    expect(() => budgets.reserve(a, amount)).toThrow(/amount must be/u);
    const reservation = granted(budgets.reserve(a, 1));
    expect(() => reservation.settle(amount)).toThrow(/used must be/u);
    expect(budgets.useOf(a).plugin?.reserved).toBe(1);
  });
});

describe("a leased budget", () => {
  /** Two hosts over one store with 150 units; each answer waits until `serve` is called. */
  function shared(): { deps: BudgetDeps; serve: () => Promise<void>; asked: () => number } {
    let left = 150;
    let asked = 0;
    const waiting: (() => void)[] = [];
    return {
      deps: {
        clock: fakeClock(),
        leases: {
          acquire: (_level, _key, wanted) => {
            asked += 1;
            return new Promise((resolve) => {
              waiting.push(() => {
                const share = Math.min(wanted, left);
                left -= share;
                resolve(share);
              });
            });
          },
        },
      },
      serve: async () => {
        for (const answer of waiting.splice(0)) answer();
        await turn();
      },
      asked: () => asked,
    };
  }

  test("decides at once against what was leased, and leases in the background", async () => {
    const { deps, serve, asked } = shared();
    const budgets = createBudgets({ host: HUNDRED }, deps);
    expect(budgets.reserve(a, 10)).toMatchObject({ code: "LIMITER_BUDGET", retryAfterMs: 100 });
    expect(budgets.reserve(a, 10)).toRefuse("LIMITER_BUDGET");
    expect(asked()).toBe(1);
    await serve();
    granted(budgets.reserve(a, 10));
    expect(asked()).toBe(1);
  });

  test("two hosts together never spend more than the store has", async () => {
    const { deps, serve } = shared();
    const hosts = [createBudgets({ host: HUNDRED }, deps), createBudgets({ host: HUNDRED }, deps)];
    let spent = 0;
    for (let round = 0; round < 50; round += 1) {
      for (const host of hosts) {
        const reservation = host.reserve(a, 10);
        if (reservation.allowed && reservation.value.settle(10)) spent += 10;
      }
      await serve();
    }
    expect(spent).toBe(150);
  });

  test.each([-5, Number.NaN, 1_000_000, "50"])(
    "an answer of %o gives nothing, and the source is asked again later",
    async (answer) => {
      const clock = fakeClock();
      let asked = 0;
      const acquire = (): Promise<number> => {
        asked += 1;
        return Promise.resolve(answer as number);
      };
      const budgets = createBudgets({ host: HUNDRED }, { clock, leases: { acquire } });
      expect(budgets.reserve(a, 1)).toRefuse("LIMITER_BUDGET");
      await turn();
      expect(budgets.reserve(a, 1)).toRefuse("LIMITER_BUDGET");
      expect(asked).toBe(1);
      clock.advance(100);
      expect(budgets.reserve(a, 1)).toRefuse("LIMITER_BUDGET");
      expect(asked).toBe(2);
    },
  );

  test("a source that fails leases nothing, and breaks nothing", async () => {
    const acquire = (): Promise<number> => Promise.reject(new Error("the store is down"));
    const budgets = createBudgets({ host: HUNDRED }, { clock: fakeClock(), leases: { acquire } });
    expect(budgets.reserve(a, 1)).toRefuse("LIMITER_BUDGET");
    await turn();
    expect(budgets.reserve(a, 1)).toRefuse("LIMITER_BUDGET");
  });
});
