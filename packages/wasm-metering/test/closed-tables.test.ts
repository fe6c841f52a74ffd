/** @module Tables that are a module's own hold functions that take their fuel as a parameter. */
import { assembleWat } from "@glovebox/testkit";
import { fuelUse, type Placement } from "@glovebox/wasm-metering";
import { expect, it } from "vitest";

import { metered } from "./run-module.ts";

const BUDGET = 1_000_000n;

/** What \`run(value)\` answers, what the host saw of the fuel, and what was used. */
function outcome(bytes: Uint8Array, placement: Placement, value: number): unknown {
  const module = metered(bytes, { placement });
  const seen: bigint[] = [];
  const host = {
    twice: (number: number): number => {
      seen.push(fuel.value);
      return 2 * number;
    },
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), { host });
  const fuel = exports[module.fuelExport] as unknown as { value: bigint };
  fuel.value = BUDGET;
  try {
    const answer = (exports["run"] as (value: number) => number)(value);
    return { answer, seen: seen.length, used: fuelUse(BUDGET, fuel.value).used };
  } catch (error) {
    return (error as Error).message;
  }
}

/** Slots: a function, the host's, one that goes on as the host's, one of another type, none. */
const MODULE = `(type $t (func (param i32) (result i32)))
  (import "host" "twice" (func $twice (type $t)))
  (func $thrice (type $t) (i32.mul (local.get 0) (i32.const 3)))
  (func $on (type $t) (if (i32.eqz (local.get 0)) (then (return (i32.const 9)))) (return_call $twice (local.get 0)))
  (func $other (result i32) (i32.const 1))
  (func (export "run") (param i32) (result i32)
    (i32.add (call $thrice (local.get 0)) (call_indirect (type $t) (i32.const 7) (local.get 0))))`;
const TABLE = `(table 5 funcref) (elem (i32.const 0) $thrice $twice $on $other)`;

it.each([0, 1, 2, 3, 4, 5, -1])(
  "a call of slot %i is what it is in the reference",
  async (slot) => {
    const bytes = await assembleWat(`(module ${MODULE} ${TABLE})`, { tail_call: true });
    expect(outcome(bytes, "merged", slot)).toEqual(outcome(bytes, "per-block", slot));
  },
);

it.each<[string, string]>([
  ["exported", `${TABLE} (export "table" (table 0))`],
  ["written", `${TABLE} (func (table.set (i32.const 0) (ref.null func)))`],
  ["grown", `${TABLE} (func (drop (table.grow (ref.null func) (i32.const 1))))`],
  ["read", `${TABLE} (func (result funcref) (table.get (i32.const 0)))`],
])("a table that is %s is open, and calls through it count the same", async (_, table) => {
  const features = { tail_call: true, reference_types: true };
  const bytes = await assembleWat(`(module ${MODULE} ${table})`, features);
  for (const slot of [0, 1, 2, 3, 4, 5]) {
    expect(outcome(bytes, "merged", slot)).toEqual(outcome(bytes, "per-block", slot));
  }
});
