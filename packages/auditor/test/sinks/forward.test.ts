import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import type { Sink, SinkEvent } from "#src/sinks/sink";

import { event } from "../fixture.ts";
import { testTrail, type TestTrail } from "../trail.ts";

/** A sink that does what the test says. */
function scripted(
  send: (batch: readonly SinkEvent[], signal: AbortSignal) => number | Promise<number>,
) {
  const sent: SinkEvent[] = [];
  let isDisposed = false;
  const sink: Sink = {
    name: "scripted",
    async send(batch, signal) {
      const rejected = await send(batch, signal);
      sent.push(...batch);
      return { rejected };
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
    },
  };
  return { sink, sent, isDisposed: () => isDisposed };
}

function calls(t: TestTrail, count: number): void {
  for (let n = 0; n < count; n += 1) t.trail.record({}, event("call"));
}

const indexesOf = (sent: readonly SinkEvent[]): readonly number[] =>
  sent.filter(({ class: kept }) => kept === "activity").map(({ index }) => index);
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

describe("a sink", () => {
  test("gets everything in order, from the beginning, and what comes later", async () => {
    await using t = await testTrail();
    calls(t, 600);
    const { sink, sent, isDisposed } = scripted(() => 0);
    const deliveries = await t.trail.forward(sink);
    calls(t, 100);
    await Promise.all(deliveries.map((delivery) => delivery.drained()));
    expect(indexesOf(sent)).toEqual(upTo(700));
    await t.trail.close();
    expect(isDisposed()).toBe(true);
  });

  test("goes on where it was in the next process", async () => {
    await using t = await testTrail();
    calls(t, 300);
    const first = scripted(() => 0);
    for (const delivery of await t.trail.forward(first.sink)) await delivery.drained();
    await t.trail.close();
    const trail = await t.reopen();
    trail.record({}, event("call"));
    const second = scripted(() => 0);
    for (const delivery of await trail.forward(second.sink)) await delivery.drained();
    expect(indexesOf(second.sent)).toEqual([300]);
    await trail.close();
  });

  test("that hangs holds nothing back: events are recorded as before", async () => {
    await using t = await testTrail();
    const { sink } = scripted((_, signal) => {
      const { promise, reject } = Promise.withResolvers<number>();
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
      return promise;
    });
    await t.trail.forward(sink);
    calls(t, 5_000);
    expect(await t.events("activity")).toHaveLength(5_000);
  });

  test("that fails is tried again, later each time, and misses nothing", async () => {
    await using t = await testTrail();
    let failures = 3;
    const { sink, sent } = scripted(([first]) => {
      if (first?.class === "activity" && failures-- > 0) throw new Error("down");
      return 0;
    });
    calls(t, 10);
    const [, activity] = await t.trail.forward(sink);
    // The timer of the clean-up, and that of the next try.
    for (const pauseMs of [750, 1_500, 3_000]) {
      await expect.poll(() => t.clock.pendingTimers).toBe(2);
      expect(activity?.state()).toMatchObject({ position: 0, error: "Error: down" });
      t.clock.advance(pauseMs - 1);
      expect(t.clock.pendingTimers).toBe(2);
      t.clock.advance(1);
    }
    await activity?.drained();
    expect(indexesOf(sent)).toEqual(upTo(10));
    await expect.poll(() => activity?.state()).toEqual({ position: 10, lost: 0, error: undefined });
  });

  test("that was away too long is told nothing of what was pruned; the loss is counted and said", async () => {
    await using t = await testTrail({ cleanUpEveryMs: Infinity, retentionDays: { activity: 0 } });
    calls(t, 600);
    t.clock.advance(1);
    await t.trail.close();
    // The sink had been sent ten events when it went away.
    await writeFile(
      join(t.directory, "positions", "scripted.activity"),
      "10\nhost.example/activity\n",
    );
    const trail = await t.reopen({ cleanUpEveryMs: Infinity, retentionDays: { activity: 0 } });
    await trail.retention.cleanUp();
    const { sink, sent } = scripted(() => 0);
    const [, activity] = await trail.forward(sink);
    await activity?.drained();
    expect(indexesOf(sent)).toEqual(upTo(600).slice(512));
    expect(activity?.state().lost).toBe(502);
    expect(await t.events()).toContainEqual(
      expect.objectContaining({
        kind: "delivery",
        success: false,
        error: "pruned before they were sent",
        details: { sink: "scripted", origin: "host.example/activity", lost: 502 },
      }),
    );
    await trail.close();
  });

  test("that refuses everything does not make the log talk to itself for ever", async () => {
    await using t = await testTrail();
    const { sink } = scripted((batch) => batch.length);
    calls(t, 1_000);
    const deliveries = await t.trail.forward(sink);
    await Promise.all(deliveries.map((delivery) => delivery.drained()));
    for (const delivery of deliveries) await delivery.drained();
    const said = (await t.events()).filter(({ kind, success }) => kind === "delivery" && !success);
    expect(said.length).toBeLessThanOrEqual(3);
    const lost = deliveries.reduce((sum, delivery) => sum + delivery.state().lost, 0);
    expect(lost).toBeGreaterThanOrEqual(1_000);
  });

  test.each([
    ["of another log", "5\nother.example/activity\n"],
    ["beyond the log", "99999\nhost.example/activity\n"],
    ["that is none", "garbage"],
    ["below zero", "-1\nhost.example/activity\n"],
  ])("with a position %s begins at the beginning", async (_, text) => {
    await using t = await testTrail();
    calls(t, 3);
    await writeFile(join(t.directory, "positions", "scripted.activity"), text);
    const { sink, sent } = scripted(() => 0);
    for (const delivery of await t.trail.forward(sink)) await delivery.drained();
    expect(indexesOf(sent)).toEqual([0, 1, 2]);
    expect(await readFile(join(t.directory, "positions", "scripted.activity"), "utf8")).toBe(
      "3\nhost.example/activity\n",
    );
  });

  test.each(["", "../x", "UPPER", "a b", "x".repeat(65)])("may not be called %j", async (name) => {
    await using t = await testTrail();
    const { sink } = scripted(() => 0);
    await expect(t.trail.forward({ ...sink, name })).rejects.toThrowCode("AUDITOR_OPTION");
  });

  test("is sent no entry that is no event", async () => {
    await using t = await testTrail();
    t.logs.get("activity")?.tryAppend("opaque");
    calls(t, 1);
    const { sink, sent } = scripted(() => 0);
    for (const delivery of await t.trail.forward(sink)) await delivery.drained();
    expect(indexesOf(sent)).toEqual([1]);
  });
});
