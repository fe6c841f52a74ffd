import "@glovebox/testkit/matchers";
import { MemoryLimiter } from "@glovebox/limiter";
import fc from "fast-check";
import { expect, test } from "vitest";

import { granted } from "./admission.ts";

test("grants up to the maximum and not a byte more", () => {
  const memory = new MemoryLimiter({ maxBytes: 100 });
  granted(memory.allocate(60));
  granted(memory.allocate(40));
  expect(memory.allocate(1)).toRefuse("LIMITER_MEMORY");
  expect(memory.usedBytes).toBe(100);
});

test("an oversized request leaves no trace, so that honest ones next to it fit", () => {
  const memory = new MemoryLimiter({ maxBytes: 100 });
  expect(memory.allocate(101)).toRefuse("LIMITER_MEMORY");
  expect(memory).toMatchObject({ usedBytes: 0, peakBytes: 0 });
  granted(memory.allocate(100));
});

test("a size that would overflow a sum is refused", () => {
  const memory = new MemoryLimiter({ maxBytes: Number.MAX_SAFE_INTEGER });
  granted(memory.allocate(Number.MAX_SAFE_INTEGER - 1));
  expect(memory.allocate(Number.MAX_SAFE_INTEGER)).toRefuse("LIMITER_MEMORY");
  granted(memory.allocate(1));
});

test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])("refuses a size of %s", (bytes) => {
  const memory = new MemoryLimiter({ maxBytes: 100 });
  expect(memory.allocate(bytes)).toRefuse("LIMITER_ALLOCATION_SIZE");
  expect(memory.usedBytes).toBe(0);
});

test("frees an allocation once, however often it is freed", () => {
  const memory = new MemoryLimiter({ maxBytes: 100 });
  const kept = granted(memory.allocate(10));
  const freed = granted(memory.allocate(50));
  expect([freed.free(), freed.free(), memory.free(freed)]).toEqual([true, false, false]);
  freed[Symbol.dispose]();
  expect(memory).toMatchObject({ usedBytes: 10, peakBytes: 60 });
  expect(memory.free(kept)).toBe(true);
});

test("does not free what it never granted", () => {
  const memory = new MemoryLimiter({ maxBytes: 100 });
  granted(memory.allocate(10));
  const foreign = granted(new MemoryLimiter({ maxBytes: 100 }).allocate(10));
  const forged = { ...foreign, bytes: 10 };
  expect([memory.free(foreign), memory.free(forged)]).toEqual([false, false]);
  expect(memory.usedBytes).toBe(10);
});

test("an allocation is freed at the end of its block", () => {
  const memory = new MemoryLimiter({ maxBytes: 100 });
  {
    using allocation = granted(memory.allocate(70));
    expect(allocation.bytes).toBe(70);
  }
  expect(memory).toMatchObject({ usedBytes: 0, peakBytes: 70 });
});

test("refuses to be made with a maximum that is no number", () => {
  expect(() => new MemoryLimiter({ maxBytes: Number.NaN })).toThrowCode("LIMITER_OPTION");
});

test("whatever is allocated and freed, what is used is the sum and never above the maximum", () => {
  const steps = fc.array(fc.record({ bytes: fc.nat(120), free: fc.boolean() }), { maxLength: 50 });
  fc.assert(
    fc.property(steps, (sequence) => {
      const memory = new MemoryLimiter({ maxBytes: 256 });
      const live: { bytes: number; free: () => boolean }[] = [];
      for (const step of sequence) {
        const decision = memory.allocate(step.bytes);
        if (decision.allowed) live.push(decision.value);
        if (step.free) live.shift()?.free();
        const sum = live.reduce((total, { bytes }) => total + bytes, 0);
        expect(memory.usedBytes).toBe(sum);
        expect(memory.peakBytes).toBeLessThanOrEqual(memory.maxBytes);
      }
    }),
  );
});
