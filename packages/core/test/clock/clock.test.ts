import { systemClock } from "@glovebox/core/clock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

describe("the system clock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("runs a timer once, when its time has come and not before", () => {
    const run = vi.fn<() => void>();
    systemClock.setTimer(1_000, run);
    vi.advanceTimersByTime(999);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(10_000);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it("does not run a cancelled or disposed timer", () => {
    const run = vi.fn<() => void>();
    const cancelled = systemClock.setTimer(10, run);
    cancelled.cancel();
    cancelled.cancel();
    {
      using timer = systemClock.setTimer(10, run);
      expect(timer).toHaveProperty("cancel");
    }
    vi.advanceTimersByTime(100);
    expect(run).not.toHaveBeenCalled();
  });

  it("waits longer than setTimeout can, which fires at once when asked for too much", () => {
    const fortyDaysMs = 40 * 86_400_000;
    const run = vi.fn<() => void>();
    systemClock.setTimer(fortyDaysMs, run);
    vi.advanceTimersByTime(fortyDaysMs - 1);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it("measures durations by a clock that setting the time does not move", () => {
    const beforeMs = systemClock.monotonicMs();
    vi.setSystemTime(systemClock.wallMs() - 86_400_000);
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(beforeMs);
  });

  it("throws for a time that is negative or not a number", () => {
    for (const afterMs of [-1, Number.NaN]) {
      expect(() => systemClock.setTimer(afterMs, () => undefined)).toThrow(
        expect.objectContaining({ code: "CORE_OPTION" }),
      );
    }
  });
});

it("does not keep the process alive for a timer", () => {
  const active = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = active();
  using timer = systemClock.setTimer(60_000, () => undefined);
  expect(active()).toBe(before);
  timer.cancel();
});
