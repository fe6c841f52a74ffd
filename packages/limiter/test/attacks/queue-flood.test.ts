/** @module One plugin floods the queue (CWE-770, CWE-400): the others must not starve. */
import "@glovebox/testkit/matchers";
import { createLimiter } from "@glovebox/limiter";
import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { granted, hold, plugin, queue, turn } from "../admission.ts";

const flooder = plugin("flooder");
const honest = plugin("honest");

test("an honest call starts after at most one call of the flooder", async () => {
  const limiter = createLimiter({ maxConcurrent: 1, maxConcurrentPerPlugin: 1 });
  let running = hold(limiter, flooder);
  const flood = Array.from({ length: 60 }, () => queue(limiter, flooder));
  const call = queue(limiter, honest);
  let before = 0;
  for (; !call.settled() && before < flood.length; before += 1) {
    running.release();
    await turn();
    const next = flood[before];
    if (next?.settled() === true) running = granted(await next.answer);
  }
  expect(before).toBeLessThanOrEqual(2);
  granted(await call.answer).release();
  limiter.close();
});

test("plugins that wait take turns, however many calls each has waiting", async () => {
  const limiter = createLimiter({ maxConcurrent: 1, maxConcurrentPerPlugin: 1 });
  const order: string[] = [];
  const running = hold(limiter, plugin("other"));
  const enter = async (name: string): Promise<void> => {
    const permit = granted(await limiter.admit({ pluginId: plugin(name) }));
    order.push(name);
    permit.release();
  };
  const calls = ["a", "a", "a", "b", "b", "c"].map(enter);
  running.release();
  await Promise.all(calls);
  expect(order.join("")).toBe("abcaba");
});

test("flooders that fill the queue together make room for a plugin below its share", async () => {
  const options = {
    maxConcurrent: 1,
    maxConcurrentPerPlugin: 1,
    maxQueued: 8,
    maxQueuedPerPlugin: 6,
  };
  const limiter = createLimiter(options, { clock: fakeClock() });
  const running = hold(limiter, flooder);
  const flood = ["flooder", "accomplice"].flatMap((name) =>
    Array.from({ length: 4 }, () => queue(limiter, plugin(name))),
  );
  const call = queue(limiter, honest);
  await turn();
  expect(limiter.status().waiting).toBe(8);
  expect(call.settled()).toBe(false);
  // The newest call of one flooder was pushed out, and nobody else's.
  expect(flood.filter(({ settled }) => settled())).toHaveLength(1);
  expect(flood[3]?.settled()).toBe(true);
  const refused = await limiter.admit({ pluginId: plugin("accomplice") });
  expect(refused).toMatchObject({ code: "LIMITER_QUEUE_FULL", rule: "limiter.queue.host" });
  running.release();
  await turn();
  expect(flood[4]?.settled()).toBe(true);
  limiter.close();
});

test("a thousand plugins with one call each cannot make the queue longer than it may be", async () => {
  const limiter = createLimiter({ maxConcurrent: 1, maxQueued: 4 }, { clock: fakeClock() });
  hold(limiter, flooder);
  const calls = Array.from({ length: 1_000 }, (_, i) => queue(limiter, plugin(`p-${i}`)));
  await turn();
  expect(limiter.status().waiting).toBe(4);
  expect(calls.filter(({ settled }) => settled())).toHaveLength(996);
  limiter.close();
});

test("queueing and giving up without end leaves no timers, listeners or places behind", async () => {
  const clock = fakeClock();
  const limiter = createLimiter({ maxConcurrentPerPlugin: 1, maxQueuedPerPlugin: 2 }, { clock });
  const running = hold(limiter, flooder);
  for (let i = 0; i < 10_000; i += 1) {
    const caller = new AbortController();
    void limiter.admit({ pluginId: flooder, signal: caller.signal });
    caller.abort();
  }
  expect([limiter.status().waiting, clock.pendingTimers]).toEqual([0, 0]);
  const call = queue(limiter, flooder);
  running.release();
  granted(await call.answer);
});
