/** @module Loops that are charged before they begin cost what they cost turn by turn. */
import { assembleWat } from "@glovebox/testkit";
import { fuelUse, type Placement } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { metered } from "./run-module.ts";

const BUDGET = 2n ** 62n;

/** The end of each loop that compilers write: $i steps by the step, until it is the bound. */
const ENDS: Readonly<Record<string, (step: number) => string>> = {
  "counts to zero": (step) =>
    `(br_if $l (local.tee $i (i32.add (local.get $i) (i32.const ${step}))))`,
  "counts down to zero": (step) =>
    `(br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const ${-step}))))`,
  "counts to a local": (step) =>
    `(br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const ${step}))) (local.get $n)))`,
  "counts to a local that stands first": (step) =>
    `(br_if $l (i32.ne (local.get $n) (local.tee $i (i32.add (local.get $i) (i32.const ${step})))))`,
};

async function build(end: string, work = ""): Promise<Uint8Array> {
  return assembleWat(`(module (memory (export "memory") 1)
    (func $loop (param $i i32) (param $n i32) (result i32) (local $sum i32)
      (loop $l (local.set $sum (i32.add (local.get $sum) (i32.const 7))) ${work} ${end})
      (local.get $sum))
    (func (export "run") (param i32 i32) (result i32) (call $loop (local.get 0) (local.get 1))))`);
}

function runWith(
  bytes: Uint8Array,
  placement: Placement,
  start: number,
  bound: number,
  budget = BUDGET,
): string {
  const module = metered(bytes, { placement });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const fuel = exports[module.fuelExport] as unknown as { value: bigint };
  fuel.value = budget;
  try {
    const sum = (exports["run"] as (a: number, b: number) => number)(start, bound);
    return `${sum}, ${fuelUse(budget, fuel.value).used} units`;
  } catch (error) {
    const { exhausted } = fuelUse(budget, fuel.value);
    return `${(error as Error).message}${exhausted ? ", exhausted" : ""}`;
  }
}

describe.each(Object.entries(ENDS))("a loop that %s", (name, end) => {
  const toZero = name.endsWith("zero");
  it.each([1, -1, 3, -5, 2_147_483_647, 2, -8])(
    "by steps of %i costs the same, placed ahead or not",
    async (step) => {
      const bytes = await build(end(step));
      for (const turns of [1, 2, 3, 100, 1_000]) {
        for (const far of [0, 1, -12, 2_147_483_640]) {
          const bound = toZero ? 0 : far;
          const start = (bound - Math.imul(step, turns)) | 0;
          const reference = runWith(bytes, "per-block", start, bound);
          expect(reference).toContain(String(7 * turns));
          expect(runWith(bytes, "merged", start, bound)).toBe(reference);
        }
      }
    },
  );
});

it("is charged in one piece: the loop has no charge of its own", async () => {
  const end = ENDS["counts to zero"] as (step: number) => string;
  const size = async (step: number): Promise<number> =>
    metered(await build(end(step))).bytes.length;
  expect(await size(-1)).not.toBe(await size(-2));
});

it("that can never meet its bound is charged turn by turn", async () => {
  const bytes = await build((ENDS["counts to a local"] as (step: number) => string)(2));
  expect(runWith(bytes, "merged", 1, 0, 100_000n)).toBe("unreachable, exhausted");
});

it("that traps is still that trap when there is fuel enough, and runs out first when there is not", async () => {
  const work = `(i32.store (local.get $i) (i32.const 1))`;
  const bytes = await build((ENDS["counts to a local"] as (step: number) => string)(1), work);
  expect(runWith(bytes, "merged", 65_000, 1_000_000)).toBe("memory access out of bounds");
  expect(runWith(bytes, "per-block", 65_000, 1_000_000, 100_000n)).toBe(
    "memory access out of bounds",
  );
  expect(runWith(bytes, "merged", 65_000, 1_000_000, 100_000n)).toBe("unreachable, exhausted");
});

it.each([
  ["writes its counter twice", `(local.set $i (i32.add (local.get $i) (i32.const 2)))`],
  ["writes its bound", `(local.set $n (i32.const 9))`],
  ["may leave early", `(if (i32.eq (local.get $i) (i32.const 4)) (then (return (i32.const 5))))`],
  ["calls itself", `(if (local.get $i) (then (drop (call $loop (i32.const -1) (i32.const 0)))))`],
])("that %s counts the same", async (_, work) => {
  const end = (ENDS["counts to a local"] as (step: number) => string)(1);
  const bytes = await build(end, work);
  expect(runWith(bytes, "merged", 0, 9)).toBe(runWith(bytes, "per-block", 0, 9));
});
