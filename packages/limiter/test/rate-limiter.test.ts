import "@glovebox/testkit/matchers";
import { createRateLimiter } from "@glovebox/limiter";
import { fakeClock } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { granted } from "./admission.ts";

describe("a rate limiter", () => {
  test("lets a burst pass per key, then the rate, after exactly as long as it said", () => {
    const clock = fakeClock();
    const limiter = createRateLimiter({ ratePerSecond: 3, burst: 2 }, { clock });
    granted(limiter.tryTake("a"));
    granted(limiter.tryTake("a"));
    expect(limiter.tryTake("a")).toMatchObject({ code: "LIMITER_RATE", retryAfterMs: 334 });
    granted(limiter.tryTake("b"));
    clock.advance(333);
    expect(limiter.tryTake("a")).toRefuse("LIMITER_RATE");
    clock.advance(1);
    granted(limiter.tryTake("a"));
  });

  test("weighs costs, and says where waiting is in vain", () => {
    const limiter = createRateLimiter({ ratePerSecond: 10, burst: 5 }, { clock: fakeClock() });
    granted(limiter.tryTake("a", 3));
    expect(limiter.tryTake("a", 3)).toMatchObject({ retryAfterMs: 100 });
    const never = limiter.tryTake("a", 6);
    expect(never).toRefuse("LIMITER_RATE");
    expect(never).not.toHaveProperty("retryAfterMs");
  });

  test("a flood of keys is refused and buys no spent rate back", () => {
    const clock = fakeClock();
    const limiter = createRateLimiter({ ratePerSecond: 1, maxKeys: 100 }, { clock });
    granted(limiter.tryTake("victim"));
    let refused = 0;
    for (let at = 0; at < 10_000; at += 1) {
      if (!limiter.tryTake(`made-up-${at}`).allowed) refused += 1;
    }
    expect(refused).toBe(9_901);
    expect(limiter.tryTake("victim")).toRefuse("LIMITER_RATE");
    clock.advance(1_000);
    granted(limiter.tryTake("new"));
  });

  test.each([
    [{ ratePerSecond: 0 }, "ratePerSecond"],
    [{ ratePerSecond: 1, burst: 0.5 }, "burst"],
    [{ ratePerSecond: 1, maxKeys: 0 }, "maxKeys"],
  ])("refuses %j, naming the option", (options, name) => {
    expect(() => createRateLimiter(options)).toThrow(name);
  });
});
