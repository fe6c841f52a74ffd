import { createCpuRate } from "@glovebox/limiter";
import { describe, expect, test } from "vitest";

describe("the rate of CPU time", () => {
  test("starts at its lowest and charges whole units, rounded up", () => {
    const rate = createCpuRate({ minPerMs: 3, maxPerMs: 100 });
    expect([rate.unitsFor(0), rate.unitsFor(1.5), rate.unitsFor(10)]).toEqual([0, 5, 30]);
  });

  test("rises at once to the fastest call seen, up to its bound", () => {
    const rate = createCpuRate({ minPerMs: 3, maxPerMs: 100 });
    rate.observe(500, 10);
    expect(rate.unitsFor(1)).toBe(50);
    rate.observe(1e9, 10);
    expect(rate.unitsFor(1)).toBe(100);
  });

  test("falls slowly, never below its lowest", () => {
    const rate = createCpuRate({ minPerMs: 10, maxPerMs: 100 });
    rate.observe(1000, 10);
    rate.observe(0, 10);
    expect(rate.unitsFor(1)).toBe(99);
    for (let call = 0; call < 1000; call += 1) rate.observe(0, 10);
    expect(rate.unitsFor(1)).toBe(10);
  });

  test("ignores calls that are too short to say anything", () => {
    const rate = createCpuRate({ minPerMs: 1, maxPerMs: 100 });
    rate.observe(1000, 0.5);
    rate.observe(1000, 0);
    rate.observe(Number.NaN, 5);
    expect(rate.unitsFor(1)).toBe(1);
  });

  test.each([
    [{ minPerMs: 0, maxPerMs: 1 }, "minPerMs"],
    [{ minPerMs: 2, maxPerMs: 1 }, "maxPerMs"],
    [{ minPerMs: 1, maxPerMs: Infinity }, "maxPerMs"],
  ])("refuses %j, naming the option", (options, name) => {
    expect(() => createCpuRate(options)).toThrow(name);
  });

  test("refuses a CPU time that is no time: an unreadable clock must not be free", () => {
    const rate = createCpuRate({ minPerMs: 1, maxPerMs: 2 });
    expect(() => rate.unitsFor(Number.NaN)).toThrow(/cpuMs must be/u);
  });
});
