import { createGcra } from "@glovebox/core/flow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

function clockAt(startMs = 0) {
  let nowMs = startMs;
  return {
    monotonicMs: () => nowMs,
    advance(ms: number) {
      nowMs += ms;
    },
  };
}

describe("a rate limit of 2 per second with a burst of 3", () => {
  function setUp() {
    const clock = clockAt(12_345.678);
    return { clock, gcra: createGcra({ ratePerSecond: 2, burst: 3 }, { clock }) };
  }

  it("lets the burst through at once, then says how long to wait", () => {
    const { gcra } = setUp();
    for (let taken = 0; taken < 3; taken++) expect(gcra.tryTake()).toEqual({ ok: true });
    expect(gcra.tryTake()).toEqual({ ok: false, retryAfterMs: 500 });
  });

  it("lets the next one through after exactly that long, and no earlier", () => {
    const { clock, gcra } = setUp();
    gcra.tryTake(3);
    clock.advance(499);
    expect(gcra.tryTake()).toEqual({ ok: false, retryAfterMs: 1 });
    clock.advance(1);
    expect(gcra.tryTake()).toEqual({ ok: true });
    expect(gcra.tryTake()).toMatchObject({ ok: false });
  });

  it("charges nothing for a refusal, so hammering does not lock the key", () => {
    const { clock, gcra } = setUp();
    gcra.tryTake(3);
    for (let attempt = 0; attempt < 1_000; attempt++) gcra.tryTake();
    clock.advance(500);
    expect(gcra.tryTake()).toEqual({ ok: true });
  });

  it("saves up no more than the burst", () => {
    const { clock, gcra } = setUp();
    clock.advance(3_600_000);
    expect(gcra.tryTake(3)).toEqual({ ok: true });
    expect(gcra.tryTake()).toMatchObject({ ok: false });
  });

  it("says of a cost above the burst that waiting never helps", () => {
    const { gcra } = setUp();
    expect(gcra.tryTake(4)).toEqual({ ok: false, retryAfterMs: Infinity });
    expect(gcra.tryTake(3)).toEqual({ ok: true });
  });

  it("is idle exactly when the whole burst is there", () => {
    const { clock, gcra } = setUp();
    expect(gcra.isIdle()).toBe(true);
    gcra.tryTake();
    expect(gcra.isIdle()).toBe(false);
    clock.advance(500);
    expect(gcra.isIdle()).toBe(true);
  });
});

it("never lets more through than burst plus rate times time", () => {
  const steps = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 3 })), { maxLength: 200 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      steps,
      (rate, burst, waits) => {
        const clock = clockAt();
        const gcra = createGcra({ ratePerSecond: rate, burst }, { clock });
        let taken = 0;
        for (const [waitMs, cost] of waits) {
          clock.advance(waitMs);
          if (gcra.tryTake(cost).ok) taken += cost;
          expect(taken).toBeLessThanOrEqual(burst + (rate * clock.monotonicMs()) / 1000 + 1e-3);
        }
      },
    ),
  );
});

it("keeps its word: after retryAfterMs the same cost passes", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 1_000, noNaN: true }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 30 }),
      (ratePerSecond, burst, costs) => {
        const clock = clockAt(987_654_321.123);
        const gcra = createGcra({ ratePerSecond, burst }, { clock });
        for (const cost of costs.filter((each) => each <= burst)) {
          const answer = gcra.tryTake(cost);
          if (answer.ok) continue;
          clock.advance(answer.retryAfterMs);
          expect(gcra.tryTake(cost)).toEqual({ ok: true });
        }
      },
    ),
  );
});

it.each([
  { ratePerSecond: 0, burst: 1 },
  { ratePerSecond: Infinity, burst: 1 },
  { ratePerSecond: 1, burst: Number.NaN },
  { ratePerSecond: 1, burst: -1 },
])("throws for the options %j", (options) => {
  expect(() => createGcra(options)).toThrow(expect.objectContaining({ code: "CORE_OPTION" }));
});

it("throws for a cost that would refill it", () => {
  const gcra = createGcra({ ratePerSecond: 1, burst: 1 });
  for (const cost of [-1, Number.NaN]) {
    expect(() => gcra.tryTake(cost)).toThrow(expect.objectContaining({ code: "CORE_OPTION" }));
  }
});
