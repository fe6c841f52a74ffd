/** @module Calls that are too short to be looked at each, in such numbers that they are not short. */
import { assembleWat } from "@glovebox/testkit";
import { fuelUse } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { metered } from "../run-module.ts";

const BUDGET = 50_000n;
/** What may run between two looks, and what the functions below cost themselves. */
const MOST = 16_384n + 8_000n;

/** Spends so many units behind a branch, where no caller pays for them. */
const leaf = (name: string, units: number): string =>
  `(func $${name} (param i32) (if (local.get 0) (then ${"(nop) ".repeat(units)})))`;
const calls = (name: string, count: number): string =>
  `(call $${name} (i32.const 1)) `.repeat(count);

describe("a budget is not overdrawn by much", () => {
  it.each([
    ["1,000 calls of 1,000 units", leaf("a", 1_000), calls("a", 1_000)],
    [
      "1,000 calls of 4 units and 300 of 1,000",
      leaf("a", 4) + leaf("b", 1_000),
      calls("a", 1_000) + calls("b", 300),
    ],
    [
      "1,000 calls of 900 units, two kinds",
      leaf("a", 900) + leaf("b", 901),
      (calls("a", 1) + calls("b", 1)).repeat(500),
    ],
  ])("by %s", async (_, functions, body) => {
    const bytes = await assembleWat(
      `(module ${functions} (func $many ${body}) (func (export "run") (call $many) (call $many)))`,
    );
    const module = metered(bytes);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
    const fuel = exports[module.fuelExport] as unknown as { value: bigint };
    fuel.value = BUDGET;
    expect(exports["run"] as () => void).toThrow("unreachable");
    const { used, exhausted } = fuelUse(BUDGET, fuel.value);
    expect(exhausted).toBe(true);
    expect(used).toBeLessThan(BUDGET + MOST);
  });
});
