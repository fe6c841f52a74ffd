import "@glovebox/testkit/matchers";
import { type Priority, createLimiter } from "@glovebox/limiter";
import { fakeClock } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { granted, hold, plugin, turn } from "./admission.ts";

const a = plugin("a");
const ONE_SLOT = { maxConcurrent: 1, maxConcurrentPerPlugin: 1 };

/** Queues calls behind a running one and says in which order they ran. */
async function orderOf(
  calls: readonly (readonly [name: string, priority: Priority])[],
): Promise<string> {
  const limiter = createLimiter(ONE_SLOT);
  const running = hold(limiter, plugin("other"));
  const order: string[] = [];
  const done = calls.map(async ([name, priority]) => {
    const permit = granted(await limiter.admit({ pluginId: plugin(name[0] ?? ""), priority }));
    order.push(name);
    permit.release();
  });
  running.release();
  await Promise.all(done);
  return order.join(" ");
}

describe("priority", () => {
  test("orders the calls of one plugin, by arrival among equals", async () => {
    const calls = [
      ["a1", "low"],
      ["a2", "normal"],
      ["a3", "high"],
      ["a4", "normal"],
    ] as const;
    expect(await orderOf(calls)).toBe("a3 a2 a4 a1");
  });

  test("orders calls across plugins, which take turns among equals", async () => {
    const calls = [
      ["a1", "normal"],
      ["a2", "normal"],
      ["b1", "low"],
      ["c1", "high"],
      ["b2", "normal"],
    ] as const;
    expect(await orderOf(calls)).toBe("c1 a1 b2 a2 b1");
  });

  test("an urgent call finds room in a full queue, at the cost of the least urgent one", async () => {
    const options = { ...ONE_SLOT, maxQueued: 2, maxQueuedPerPlugin: 2 };
    const limiter = createLimiter(options, { clock: fakeClock() });
    const running = hold(limiter, a);
    const normal = limiter.admit({ pluginId: a });
    const low = limiter.admit({ pluginId: a, priority: "low" });
    const urgentOfSame = limiter.admit({ pluginId: a, priority: "high" });
    expect(await low).toRefuse("LIMITER_QUEUE_FULL");
    const urgentOfOther = limiter.admit({ pluginId: plugin("b"), priority: "high" });
    expect(await normal).toRefuse("LIMITER_QUEUE_FULL");
    running.release();
    const urgent = [urgentOfSame, urgentOfOther];
    await Promise.all(urgent.map(async (call) => granted(await call).release()));
  });

  test("a plugin below its share does not push out a more urgent call of another", async () => {
    const options = { ...ONE_SLOT, maxQueued: 2, maxQueuedPerPlugin: 2 };
    const limiter = createLimiter(options, { clock: fakeClock() });
    const running = hold(limiter, a);
    const urgent = [1, 2].map(() => limiter.admit({ pluginId: a, priority: "high" }));
    expect(await limiter.admit({ pluginId: plugin("b") })).toRefuse("LIMITER_QUEUE_FULL");
    running.release();
    for (const call of urgent) granted(await call).release();
  });

  test("a lane whose only slot went to its urgent call runs no second one", async () => {
    const limiter = createLimiter({ maxConcurrent: 2, maxConcurrentPerPlugin: 1 });
    const running = hold(limiter, a);
    let normalRan = false;
    const normal = limiter.admit({ pluginId: a });
    void normal.then(() => (normalRan = true));
    const urgent = limiter.admit({ pluginId: a, priority: "high" });
    running.release();
    const permit = granted(await urgent);
    await turn();
    expect([limiter.status().running, normalRan]).toEqual([1, false]);
    permit.release();
    granted(await normal).release();
  });

  test("an unknown priority is the programmer's mistake and names the known ones", async () => {
    const limiter = createLimiter();
    const priority = "urgent" as Priority;
    await expect(limiter.admit({ pluginId: a, priority })).rejects.toThrow(/high, normal, low/u);
  });
});
