import "@glovebox/testkit/matchers";
import { LimiterError, createDeadline } from "@glovebox/limiter";
import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

function codeOf(signal: AbortSignal): string | undefined {
  return signal.reason instanceof LimiterError ? signal.reason.code : undefined;
}

test("aborts when the wall-clock limit has passed, and not before", () => {
  const clock = fakeClock();
  const deadline = createDeadline({ wallMs: 100 }, { clock });
  const { signal } = deadline;
  clock.advance(99);
  expect([signal.aborted, deadline.remainingMs()]).toEqual([false, 1]);
  clock.advance(1);
  expect([signal.aborted, deadline.remainingMs()]).toEqual([true, 0]);
  expect(codeOf(signal)).toBe("LIMITER_WALL_DEADLINE");
});

test("a wall clock that is set forwards or back does not move the deadline", () => {
  const clock = fakeClock();
  const { signal } = createDeadline({ wallMs: 100 }, { clock });
  clock.setWallMs(0);
  clock.advance(99);
  expect(signal.aborted).toBe(false);
  clock.advance(1);
  expect(signal.aborted).toBe(true);
});

test("aborts busy work when its CPU time is used up", () => {
  const clock = fakeClock();
  const readCpuMs = (): number => 5_000 + clock.monotonicMs();
  const { signal } = createDeadline({ cpuMs: 50, wallMs: 1_000, readCpuMs }, { clock });
  clock.advance(49);
  expect(signal.aborted).toBe(false);
  clock.advance(1);
  expect(codeOf(signal)).toBe("LIMITER_CPU_DEADLINE");
  expect(clock.pendingTimers).toBe(0);
});

test("work that mostly waits is stopped by its CPU time, not by the clock on the wall", () => {
  const clock = fakeClock();
  const readCpuMs = (): number => clock.monotonicMs() / 10;
  const { signal } = createDeadline({ cpuMs: 50, readCpuMs }, { clock });
  clock.advance(495);
  expect(signal.aborted).toBe(false);
  clock.advance(7);
  expect(codeOf(signal)).toBe("LIMITER_CPU_DEADLINE");
});

test("reads the CPU clock seldom while much is left, and not in a busy loop near the end", () => {
  const clock = fakeClock();
  let reads = 0;
  const stalled = (): number => {
    reads += 1;
    return reads <= 2 ? 0 : 49.999;
  };
  createDeadline({ cpuMs: 50, readCpuMs: stalled }, { clock });
  clock.advance(49);
  // One reading for the start, one to plan the first check.
  expect(reads).toBe(2);
  clock.advance(1_000);
  expect(reads).toBeLessThan(510);
});

test("whichever limit comes first speaks, and speaks once", () => {
  const clock = fakeClock();
  const { signal } = createDeadline(
    { wallMs: 30, cpuMs: 50, readCpuMs: () => clock.monotonicMs() },
    { clock },
  );
  let aborts = 0;
  signal.addEventListener("abort", () => (aborts += 1));
  clock.advance(1_000);
  expect([aborts, codeOf(signal)]).toEqual([1, "LIMITER_WALL_DEADLINE"]);
});

test.each([
  ["throws", [0, new Error("gone")]],
  ["throws from the start", [new Error("gone")]],
  ["answers NaN", [0, Number.NaN]],
  ["runs backwards", [100, 0]],
])("stops the work when its CPU clock %s", (_how, answers) => {
  const clock = fakeClock();
  const readings = [...answers];
  const readCpuMs = (): number => {
    const next = readings.length > 1 ? readings.shift() : readings[0];
    if (next instanceof Error) throw next;
    return next ?? 0;
  };
  const { signal } = createDeadline({ cpuMs: 50, readCpuMs }, { clock });
  clock.advance(50);
  expect(codeOf(signal)).toBe("LIMITER_CPU_UNREADABLE");
});

test("does not abort once it is disposed, and leaves no timer and no listener behind", () => {
  const clock = fakeClock();
  const parent = new AbortController();
  const deadline = createDeadline({ wallMs: 100, parent: parent.signal }, { clock });
  deadline[Symbol.dispose]();
  parent.abort();
  clock.advance(1_000);
  expect([deadline.signal.aborted, clock.pendingTimers]).toEqual([false, 0]);
});

test("follows its parent with the parent's reason, and drops its own timer", () => {
  const clock = fakeClock();
  const parent = new AbortController();
  const { signal } = createDeadline({ wallMs: 100, parent: parent.signal }, { clock });
  parent.abort("revoked");
  expect([signal.reason, clock.pendingTimers]).toEqual(["revoked", 0]);
  const late = createDeadline({ wallMs: 100, parent: parent.signal }, { clock });
  expect([late.signal.reason, clock.pendingTimers]).toEqual(["revoked", 0]);
});

test("a limit of 0 aborts at once", () => {
  expect(createDeadline({ wallMs: 0 }, { clock: fakeClock() }).signal.aborted).toBe(true);
});

test("without limits it waits for nothing and has for ever left", () => {
  const clock = fakeClock();
  expect(createDeadline({}, { clock }).remainingMs()).toBe(Infinity);
  expect(clock.pendingTimers).toBe(0);
  expect(createDeadline({}).signal.aborted).toBe(false);
});

test("refuses limits that are no numbers, and a CPU limit without a CPU clock", () => {
  expect(() => createDeadline({ wallMs: Number.NaN })).toThrowCode("LIMITER_OPTION");
  expect(() => createDeadline({ cpuMs: -1, readCpuMs: () => 0 })).toThrowCode("LIMITER_OPTION");
  expect(() => createDeadline({ cpuMs: 5 })).toThrowCode("LIMITER_OPTION");
});
