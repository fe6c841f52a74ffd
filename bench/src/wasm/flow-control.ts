/** @module The limiter next to what npm offers: rates per key, and slots with a queue. */
import { parsePluginId } from "@glovebox/core/ids";
import { createLimiter, createRateLimiter } from "@glovebox/limiter";
import pLimit from "p-limit";
import { RateLimiterMemory } from "rate-limiter-flexible";

import { interleave, ratio } from "../measure.ts";

const ROUNDS = 21;
const KEYS = Array.from({ length: 10_000 }, (_, index) => `key-${index}`);
const TAKES = 10 * KEYS.length;
const SLOTS = 64;
const TASKS = 10_000;

/** Takes per millisecond over all keys; the peer is awaited, since it answers in promises only. */
async function rates(rate: { ours: number; theirs: number; burst: number }): Promise<number> {
  const ours = createRateLimiter({
    ratePerSecond: rate.ours,
    burst: rate.burst,
    maxKeys: KEYS.length,
  });
  const theirs = new RateLimiterMemory({ points: rate.theirs, duration: 3600 });
  const figures = await interleave(ROUNDS, [
    {
      name: "ours",
      measure: () => {
        const start = performance.now();
        for (let take = 0; take < TAKES; take++) ours.tryTake(KEYS[take % KEYS.length] ?? "");
        return Promise.resolve(TAKES / (performance.now() - start));
      },
    },
    {
      name: "theirs",
      measure: async () => {
        const start = performance.now();
        for (let take = 0; take < TAKES; take++) {
          // It refuses by rejecting.
          await theirs.consume(KEYS[take % KEYS.length] ?? "").catch(() => undefined);
        }
        return TAKES / (performance.now() - start);
      },
    },
  ]);
  return ratio(figures.ours, figures.theirs);
}

/** Tasks per millisecond, all queued at once behind the same number of slots. */
async function slots(): Promise<number> {
  const id = parsePluginId("bench");
  if (!id.allowed) throw new Error(id.reason);
  const limits = {
    maxConcurrent: SLOTS,
    maxConcurrentPerPlugin: SLOTS,
    maxQueued: TASKS,
    maxQueuedPerPlugin: TASKS,
  };
  const ours = createLimiter(limits);
  const theirs = pLimit(SLOTS);
  const task = async (): Promise<void> => {};
  const admitted = async (): Promise<void> => {
    const admission = await ours.admit({ pluginId: id.value });
    if (!admission.allowed) throw new Error(admission.reason);
    using _permit = admission.value;
    await task();
  };
  const perMs = async (run: () => Promise<void>): Promise<number> => {
    const start = performance.now();
    await Promise.all(Array.from({ length: TASKS }, run));
    return TASKS / (performance.now() - start);
  };
  const figures = await interleave(ROUNDS, [
    { name: "ours", measure: () => perMs(admitted) },
    { name: "theirs", measure: () => perMs(() => theirs(task)) },
  ]);
  return ratio(figures.ours, figures.theirs);
}

/** The figures of flow control, peers in the same rounds. */
export async function flowControl(): Promise<Readonly<Record<string, number>>> {
  return {
    gcra_accept_vs_rate_limiter_flexible: await rates({ ours: 1e6, theirs: 1e9, burst: 1e6 }),
    gcra_reject_vs_rate_limiter_flexible: await rates({ ours: 0.001, theirs: 1, burst: 1 }),
    bulkhead_vs_p_limit: await slots(),
  };
}
