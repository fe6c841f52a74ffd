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

const EDGES = [0, 1, 2, 7, 2_147_483_646, 2_147_483_647, -2_147_483_648, -2_147_483_647, -2, -1];
const COMPARISONS = ["lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];

/** The number of turns, told by JavaScript; `undefined` for more than a test wants to wait for. */
function turnsOf(
  comparison: string,
  start: number,
  step: number,
  bound: number,
): number | undefined {
  const view = (value: number): number => (comparison.endsWith("u") ? value >>> 0 : value | 0);
  for (let turns = 1, local = start; turns <= 50; turns++) {
    local = (local + step) | 0;
    const [one, other] = [view(local), view(bound)];
    const isEqual = !comparison.startsWith("lt") && !comparison.startsWith("gt") && one === other;
    const isPast = comparison.startsWith("l") ? one >= other : one <= other;
    if (isPast && !isEqual) return turns;
  }
  return undefined;
}

describe.each(COMPARISONS)("a loop that goes on by %s", (comparison) => {
  it.each([1, -1, 3, -3, 8, -8])(
    "by steps of %i costs the same up to the ends of the number line",
    async (step) => {
      for (const isMirrored of [false, true]) {
        for (const edge of EDGES) {
          for (const bound of [`(i32.const ${edge})`, "(local.get $n)"]) {
            const next = `(local.tee $i (i32.add (local.get $i) (i32.const ${step})))`;
            const [one, other] = isMirrored ? [bound, next] : [next, bound];
            const bytes = await build(`(br_if $l (i32.${comparison} ${one} ${other}))`);
            const test = isMirrored
              ? comparison.replace(/^[lg]/u, (at) => (at === "l" ? "g" : "l"))
              : comparison;
            for (const back of [0, 1, 2, 5, 20, -1]) {
              const start = (edge - back * step) | 0;
              const turns = turnsOf(test, start, step, edge);
              if (turns === undefined) continue;
              const reference = runWith(bytes, "per-block", start, edge);
              expect(reference).toContain(`${7 * turns},`);
              expect(runWith(bytes, "merged", start, edge)).toBe(reference);
            }
          }
        }
      }
    },
    60_000,
  );
});

it("that goes on up to the highest number never ends, and is charged turn by turn", async () => {
  const end = `(br_if $l (i32.le_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const -1)))`;
  expect(runWith(await build(end), "merged", 1, 0, 100_000n)).toBe("unreachable, exhausted");
});

it("that may wrap past its bound is charged turn by turn", async () => {
  // 0xfffffffe, 1, 4, …: below the bound at each turn for a long time.
  const end = `(br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 3))) (i32.const -1)))`;
  expect(runWith(await build(end), "merged", -5, 0, 100_000n)).toBe("unreachable, exhausted");
});

it.each([
  [
    "one way in some turns",
    `(if (i32.and (local.get $i) (i32.const 1)) (then (local.set $sum (i32.mul (local.get $sum) (i32.const 3)))))`,
  ],
  [
    "two ways",
    `(if (i32.and (local.get $i) (i32.const 2)) (then (local.set $sum (i32.const 3))) (else (nop) (nop) (nop) (nop)))`,
  ],
  ["a trap that is not met", `(if (i32.eq (local.get $i) (i32.const 99)) (then (unreachable)))`],
  ["a length", `(memory.fill (i32.const 0) (i32.const 1) (i32.mul (local.get $i) (i32.const 90)))`],
])("with %s in it costs the same", async (_, work) => {
  const end = `(br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))`;
  const bytes = await build(end, work);
  for (const turns of [1, 2, 5, 50]) {
    const reference = runWith(bytes, "per-block", 0, turns);
    expect(runWith(bytes, "merged", 0, turns)).toBe(reference);
    const used = BigInt(/(\d+) units/u.exec(reference)?.[1] ?? "0");
    expect(used).toBeGreaterThan(0n);
    expect(runWith(bytes, "merged", 0, turns, used)).toBe(reference);
    expect(runWith(bytes, "merged", 0, turns, used - 1n)).toBe("unreachable, exhausted");
  }
});

it("looks at what is left where some turns cost more than all do", async () => {
  // 40 million units in its dear turns, of a loop that is charged 30 million ahead.
  const dear = `(if (i32.and (local.get $i) (i32.const 1)) (then ${"(local.set $sum (i32.mul (local.get $sum) (i32.const 3)))".repeat(20)}))`;
  const end = `(br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))`;
  const bytes = await build(end, dear);
  const module = metered(bytes);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const fuel = exports[module.fuelExport] as unknown as { value: bigint };
  fuel.value = 30_000_000n;
  expect(() => (exports["run"] as (a: number, b: number) => number)(0, 1_000_000)).toThrow(
    "unreachable",
  );
  const { used, exhausted } = fuelUse(30_000_000n, fuel.value);
  expect(exhausted).toBe(true);
  expect(used).toBeLessThan(30_000_000n + 16_384n);
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
