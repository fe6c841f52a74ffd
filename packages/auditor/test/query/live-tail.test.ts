import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { describe, expect, test } from "vitest";

import { event } from "../fixture.ts";
import { testTrail } from "../trail.ts";

/** Bytes of the heap that are in use. */
function usedHeap(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

describe("a tail", () => {
  test("answers events of all classes as they come, and none from before", async () => {
    await using t = await testTrail();
    t.trail.record({}, event("operator", { details: { n: 0 } }));
    const tail = t.trail.tail();
    const first = tail.next();
    t.trail.record({}, event("operator", { details: { n: 1 } }));
    expect((await first).value).toMatchObject({
      kind: "event",
      class: "security",
      event: { details: { n: 1 } },
    });
    t.trail.record({}, event("call", { details: { n: 2 } }));
    expect((await tail.next()).value).toMatchObject({
      class: "activity",
      event: { details: { n: 2 } },
    });
    await tail.return();
  });

  test("answers only what is looked for", async () => {
    await using t = await testTrail();
    const tail = t.trail.tail({ kind: "deny" });
    const first = tail.next();
    t.trail.record({}, event("operator"));
    t.trail.record({}, event("deny", { success: false }));
    expect((await first).value).toMatchObject({ event: { kind: "deny" } });
    await tail.return();
  });

  test("of a slow reader is put forward, and says by how much; memory does not grow", async () => {
    await using t = await testTrail();
    const tail = t.trail.tail({ maxLagEvents: 100, kind: "call" });
    const first = tail.next();
    t.trail.record({}, event("call", { details: { n: -1 } }));
    await first;
    for (let n = 0; n < 10_000; n += 1) t.trail.record({}, event("call", { details: { n } }));
    // What was asked for before the burst is answered first, and then the notice.
    expect((await tail.next()).value).toMatchObject({ kind: "skipped", count: 9_900 });
    expect((await tail.next()).value).toMatchObject({ event: { details: { n: 9_900 } } });
    await tail.return();
  });

  test("keeps nothing of what passed by while a log is idle", async () => {
    await using t = await testTrail();
    const tail = t.trail.tail({ maxLagEvents: 100_000 });
    const bring = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        const next = tail.next();
        if (n % 500 === 0)
          for (let more = 0; more < 500; more += 1) t.trail.record({}, event("call"));
        await next;
      }
    };
    await bring(2_000);
    const before = usedHeap();
    await bring(20_000);
    // Two are what the log in memory has of the events themselves.
    expect(usedHeap() - before).toBeLessThan(5 * 2 ** 20);
    await tail.return();
  });

  test("ends with its signal, also while it waits", async () => {
    await using t = await testTrail();
    const ending = new AbortController();
    const tail = t.trail.tail({ signal: ending.signal });
    const next = tail.next();
    ending.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await t.trail.tail({ signal: ending.signal }).next()).toMatchObject({ done: true });
  });

  test("ends when the logs are closed", async () => {
    await using t = await testTrail();
    const next = t.trail.tail().next();
    for (const log of t.logs.values()) await log.close();
    expect(await next).toMatchObject({ done: true });
  });
});
