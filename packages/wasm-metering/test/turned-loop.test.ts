/** @module Loops tested at their start pay for the next test where they pay for the turn. */
import { assembleWat } from "@glovebox/testkit";
import { fuelUse, type Placement } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { metered } from "./run-module.ts";

const LOOPS: Readonly<Record<string, string>> = {
  "with one way back": `(block $done (loop $l
    (br_if $done (i32.ge_s (local.get $i) (local.get $n)))
    (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l)))`,
  "with two ways back": `(block $done (loop $l
    (br_if $done (i32.ge_s (local.get $i) (local.get $n)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (if (i32.and (local.get $i) (i32.const 1)) (then (nop) (br $l)))
    (nop) (nop) (br $l)))`,
  "with arms that meet": `(block $done (loop $l
    (br_if $done (i32.ge_s (local.get $i) (local.get $n)))
    (if (i32.and (local.get $i) (i32.const 1)) (then (nop)) (else (nop) (nop)))
    (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l)))`,
  "with a second way out": `(block $done (loop $l
    (br_if $done (i32.ge_s (local.get $i) (local.get $n)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $done (i32.eq (local.get $i) (i32.const -5)))
    (nop) (br $l)))`,
  "in another": `(block $done (loop $l
    (br_if $done (i32.ge_s (local.get $i) (local.get $n)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (local.set $j (i32.const 0))
    (block $out (loop $k
      (br_if $out (i32.ge_s (local.get $j) (local.get $i)))
      (local.set $j (i32.add (local.get $j) (i32.const 1)))
      (br_if $l (i32.eq (local.get $j) (i32.const 7))) (br $k)))
    (br $l)))`,
  "whose table leads back twice": `(block $done (loop $o (loop $l
    (br_if $done (i32.ge_s (local.get $i) (local.get $n)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_table $l $o (i32.and (local.get $i) (i32.const 1))))))`,
  "that calls": `(block $done (loop $l
    (br_if $done (i32.eqz (call $less (local.get $i) (local.get $n))))
    (local.set $i (call $more (local.get $i))) (br $l)))`,
};

const build = async (loop: string): Promise<Uint8Array> =>
  assembleWat(`(module
    (func $less (param i32 i32) (result i32) (i32.lt_s (local.get 0) (local.get 1)))
    (func $more (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $loop (param $i i32) (param $n i32) (result i32) (local $j i32) ${loop} (local.get $i))
    (func (export "run") (param i32 i32) (result i32) (call $loop (local.get 0) (local.get 1))))`);

function run(bytes: Uint8Array, placement: Placement, turns: number, budget = 2n ** 62n): string {
  const module = metered(bytes, { placement });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const fuel = exports[module.fuelExport] as unknown as { value: bigint };
  fuel.value = budget;
  try {
    const result = (exports["run"] as (from: number, to: number) => number)(0, turns);
    return `${result} for ${fuelUse(budget, fuel.value).used}`;
  } catch (error) {
    const { used, exhausted } = fuelUse(budget, fuel.value);
    const isSoon = used < budget + 16_384n ? "" : " late";
    return `${(error as Error).message}${exhausted ? `, exhausted${isSoon}` : ""}`;
  }
}

describe.each(Object.entries(LOOPS))("a loop %s", (_, loop) => {
  it.each([-1, 0, 1, 2, 9])("costs the same in %i turns, to the unit", async (turns) => {
    const bytes = await build(loop);
    const reference = run(bytes, "per-block", turns);
    expect(run(bytes, "merged", turns)).toBe(reference);
    const used = BigInt(reference.split(" for ")[1] ?? "0");
    expect(run(bytes, "merged", turns, used)).toBe(reference);
    expect(run(bytes, "merged", turns, used - 1n)).toBe("unreachable, exhausted");
  });

  it("ends when its fuel does", async () => {
    // Two thousand million turns: only the fuel ends it.
    const bytes = await build(loop.replaceAll("(local.get $n)", "(i32.const 2147483647)"));
    expect(run(bytes, "merged", 0, 1_000_000n)).toBe("unreachable, exhausted");
  });
});

it("is charged once in a turn", async () => {
  const charges = (bytes: Uint8Array): number => metered(bytes).bytes.length - bytes.length;
  // A branch that may also fall through pays for itself: then the test at the start is charged too.
  const falls = (LOOPS["with one way back"] as string).replace(
    "(br $l)",
    "(br_if $l (i32.const 1))",
  );
  expect(charges(await build(LOOPS["with one way back"] as string))).toBeLessThan(
    charges(await build(falls)),
  );
});
