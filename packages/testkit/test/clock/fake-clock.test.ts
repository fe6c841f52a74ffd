import { systemClock } from "@glovebox/core/clock";
import { fakeClock } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

test("stands still until it is advanced, then moves both clocks alike", () => {
  const clock = fakeClock({ wallMs: 1_000 });
  expect([clock.wallMs(), clock.monotonicMs()]).toEqual([1_000, 0]);
  clock.advance(250);
  expect([clock.wallMs(), clock.monotonicMs()]).toEqual([1_250, 250]);
});

test("runs due timers in order of time, equal times in order of setting, each at its time", () => {
  const clock = fakeClock();
  const ran: string[] = [];
  const note = (name: string) => () => void ran.push(`${name}@${clock.monotonicMs()}`);
  clock.setTimer(20, note("late"));
  clock.setTimer(10, note("first"));
  clock.setTimer(10, note("second"));
  clock.setTimer(31, note("not yet"));
  clock.advance(30);
  expect(ran).toEqual(["first@10", "second@10", "late@20"]);
  expect(clock.pendingTimers).toBe(1);
});

test("runs a timer that a timer set, when it falls due within the same advance", () => {
  const clock = fakeClock();
  const ran: number[] = [];
  clock.setTimer(10, () => clock.setTimer(5, () => ran.push(clock.monotonicMs())));
  clock.advance(14);
  expect(ran).toEqual([]);
  clock.advance(1);
  expect(ran).toEqual([15]);
});

test("a cancelled or disposed timer never runs", () => {
  const clock = fakeClock();
  const ran: string[] = [];
  clock.setTimer(1, () => ran.push("cancelled")).cancel();
  {
    using _timer = clock.setTimer(1, () => ran.push("disposed"));
  }
  const later = clock.setTimer(2, () => ran.push("cancelled by a timer"));
  clock.setTimer(1, () => later.cancel());
  clock.advance(10);
  expect(ran).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

test("a timer without delay waits for an advance", () => {
  const clock = fakeClock();
  let runs = 0;
  clock.setTimer(0, () => (runs += 1));
  expect(runs).toBe(0);
  clock.advance(0);
  expect(runs).toBe(1);
});

test("an infinite delay never runs", () => {
  const clock = fakeClock();
  let runs = 0;
  clock.setTimer(Number.POSITIVE_INFINITY, () => (runs += 1));
  clock.advance(Number.MAX_SAFE_INTEGER);
  expect([runs, clock.pendingTimers]).toEqual([0, 1]);
});

test.each([-1, Number.NaN, Number.NEGATIVE_INFINITY])(
  "refuses a delay of %d as the system's clock does",
  (ms) => {
    for (const clock of [fakeClock(), systemClock]) {
      expect(() => clock.setTimer(ms, () => undefined)).toThrowCode("CORE_OPTION");
    }
  },
);

test("the wall clock jumps without moving monotonic time or running timers", () => {
  const clock = fakeClock({ wallMs: 1_000 });
  let runs = 0;
  clock.setTimer(10, () => (runs += 1));
  clock.setWallMs(999_000);
  clock.setWallMs(500);
  expect([clock.wallMs(), clock.monotonicMs(), runs]).toEqual([500, 0, 0]);
  clock.advance(10);
  expect([clock.wallMs(), clock.monotonicMs(), runs]).toEqual([510, 10, 1]);
});

test("time does not run backwards when a timer itself advances the clock", () => {
  const clock = fakeClock();
  clock.setTimer(1, () => clock.advance(100));
  clock.setTimer(5, () => undefined);
  clock.advance(10);
  expect(clock.monotonicMs()).toBe(101);
});

test("an error of a timer reaches the caller of advance, and the timer is gone", () => {
  const clock = fakeClock();
  clock.setTimer(1, () => {
    throw new Error("boom");
  });
  expect(() => clock.advance(1)).toThrow("boom");
  expect(clock.pendingTimers).toBe(0);
});

test("refuses to move by what is not finite, or backwards", () => {
  const clock = fakeClock();
  expect(() => clock.advance(Number.NaN)).toThrowCode("TESTKIT_CLOCK");
  expect(() => clock.advance(Number.POSITIVE_INFINITY)).toThrowCode("TESTKIT_CLOCK");
  expect(() => clock.advance(-1)).toThrowCode("TESTKIT_CLOCK");
  expect(() => clock.setWallMs(Number.NaN)).toThrowCode("TESTKIT_CLOCK");
  expect(() => fakeClock({ wallMs: Number.NaN })).toThrowCode("TESTKIT_CLOCK");
});

test("stops timers that re-arm without a delay for ever", () => {
  const clock = fakeClock();
  const rearm = (): void => void clock.setTimer(0, rearm);
  rearm();
  expect(() => clock.advance(1)).toThrowCode("TESTKIT_CLOCK_RUNAWAY");
});
