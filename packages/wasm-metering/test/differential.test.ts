/**
 * @module Generated modules, original and metered: the same results, traps, memories and globals,
 * and a count that equals that of an oracle which knows nothing of blocks.
 */
import { type MeteringOptions, fuelUse } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import type { Features } from "./generate-expressions.ts";
import { generateModule } from "./generate.ts";
import { countingModule } from "./oracle.ts";
import { metered, run } from "./run-module.ts";

const BUDGET = 2n ** 62n;
const STEPS = 200;
const RUNS = Number(process.env["DIFFERENTIAL_RUNS"] ?? 80);
const FIRST = Number(process.env["DIFFERENTIAL_SEED"] ?? 1);

const KINDS: readonly (readonly [string, Features])[] = [
  ["plain modules", {}],
  ["modules with an open table", { openTable: true }],
  ["modules with tail calls", { tailCalls: true }],
  ["modules with exceptions", { exceptions: "standard" }],
  ["modules with exceptions and tail calls", { exceptions: "standard", tailCalls: true }],
  ["modules with exceptions of the old form", { exceptions: "legacy" }],
];
const PLACEMENTS: readonly MeteringOptions[] = [{}, { placement: "per-block" }];

/** Whatever is wrong with the metered module of `seed`; nothing where all is well. */
function problemOf(seed: number, features: Features, options: MeteringOptions): string | undefined {
  const original = generateModule(seed, features);
  const plain = run(original, STEPS);
  const module = metered(original, options);
  const instrumented = run(module.bytes, STEPS, [module.fuelExport, BUDGET]);
  if (instrumented.outcome !== plain.outcome)
    return `outcome ${plain.outcome} became ${instrumented.outcome}`;
  if (instrumented.state !== plain.state) return "another state";
  const use = fuelUse(BUDGET, instrumented.count as bigint);
  const counted = run(countingModule(original), STEPS, ["count", 0n]);
  const traps = plain.outcome.includes("Error");
  // What is charged ahead of a trap is more than what ran.
  const isRight = traps
    ? use.used >= (counted.count as bigint)
    : use.exact && use.used === counted.count;
  return isRight ? undefined : `counted ${use.used} instead of ${counted.count} (traps: ${traps})`;
}

describe.each(PLACEMENTS)("metered with %j", (options) => {
  it.each(KINDS)("%s run as they do and count as the oracle", (_, features) => {
    const problems = [];
    for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
      const problem =
        problemOf(seed, features, options) ??
        problemOf(seed, { ...features, traps: true }, options);
      if (problem !== undefined) problems.push(`seed ${seed}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });

  it("with less fuel than they need run out of it, and never run past it", () => {
    for (let seed = FIRST; seed < FIRST + RUNS / 3; seed++) {
      const original = generateModule(seed);
      const module = metered(original, options);
      const whole = fuelUse(
        BUDGET,
        run(module.bytes, STEPS, [module.fuelExport, BUDGET]).count as bigint,
      ).used;
      for (const budget of [0n, 1n, whole / 2n, whole - 1n]) {
        const { outcome, count } = run(module.bytes, STEPS, [module.fuelExport, budget]);
        expect(outcome).toBe("RuntimeError: unreachable");
        expect(fuelUse(budget, count as bigint)).toMatchObject({ exhausted: true });
      }
      const enough = run(module.bytes, STEPS, [module.fuelExport, whole]);
      expect(fuelUse(whole, enough.count as bigint)).toEqual({
        used: whole,
        exact: true,
        exhausted: false,
      });
    }
  });
});
