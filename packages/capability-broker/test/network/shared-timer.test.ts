import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { onAbort } from "../../src/network/on-abort.ts";
import { shareTimer } from "../../src/network/shared-timer.ts";

test("timers run in the order of their times, whatever order they were started in", () => {
  const clock = fakeClock();
  const shared = shareTimer(clock);
  const ran: [string, number][] = [];
  for (const [name, afterMs] of [
    ["late", 300],
    ["soon", 10],
    ["never", Infinity],
    ["middle", 200],
  ] as const)
    shared.setTimer(afterMs, () => ran.push([name, clock.monotonicMs()]));
  expect(clock.pendingTimers).toBe(1);
  clock.advance(1_000);
  expect(ran).toEqual([
    ["soon", 10],
    ["middle", 200],
    ["late", 300],
  ]);
  expect(clock.pendingTimers).toBe(0);
});

test("a cancelled timer does not run, also when the one before it cancels it at that moment", () => {
  const clock = fakeClock();
  const shared = shareTimer(clock);
  const ran: string[] = [];
  const cancelled = shared.setTimer(10, () => ran.push("cancelled"));
  cancelled.cancel();
  shared.setTimer(20, () => {
    ran.push("first");
    second.cancel();
  });
  const second = shared.setTimer(20, () => ran.push("second"));
  shared.setTimer(20, () => ran.push("third"));
  clock.advance(20);
  expect(ran).toEqual(["first", "third"]);
});

test("what throws keeps no later timer from running", () => {
  const clock = fakeClock();
  const shared = shareTimer(clock);
  const ran: string[] = [];
  shared.setTimer(10, () => {
    throw new Error("broken");
  });
  shared.setTimer(10, () => ran.push("same moment"));
  shared.setTimer(30, () => ran.push("later"));
  expect(() => clock.advance(10)).toThrow("broken");
  clock.advance(20);
  expect(ran).toEqual(["same moment", "later"]);
});

test("a timer that is started while one runs has its own time", () => {
  const clock = fakeClock();
  const shared = shareTimer(clock);
  const ran: number[] = [];
  shared.setTimer(10, () => shared.setTimer(5, () => ran.push(clock.monotonicMs())));
  clock.advance(100);
  expect(ran).toEqual([15]);
  expect(() => shared.setTimer(-1, () => undefined)).toThrow("afterMs must be 0 or more");
});

test("whoever waits for a call's end is told once, and nobody who left", () => {
  const call = new AbortController();
  const told: string[] = [];
  const leave = onAbort(call.signal, () => told.push("left"));
  onAbort(call.signal, () => told.push("stayed"));
  leave();
  call.abort();
  call.signal.dispatchEvent(new Event("abort"));
  expect(told).toEqual(["stayed"]);
});
