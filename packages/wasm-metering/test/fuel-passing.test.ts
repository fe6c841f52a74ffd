/** @module Where the fuel is while a metered module runs: what hosts and other functions see of it. */
import { assembleWat } from "@glovebox/testkit";
import { fuelUse, type MeteredModule } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { metered } from "./run-module.ts";

const BUDGET = 1_000_000n;
type Exports = Readonly<Record<string, (...values: readonly number[]) => unknown>>;

function load(
  module: MeteredModule,
  host: Readonly<Record<string, () => void>> = {},
): { exports: Exports; fuel: { value: bigint } } {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), { host });
  const fuel = instance.exports[module.fuelExport] as unknown as { value: bigint };
  fuel.value = BUDGET;
  return { exports: instance.exports as Exports, fuel };
}

/** `run` calls `inner`, which calls the host in its tenth turn; both are called directly and exported. */
const WAT = `(module
  (import "host" "call" (func $host))
  (table (export "table") 1 funcref)
  (elem (i32.const 0) $inner)
  (func $inner (export "inner") (param i32) (local i64)
    (loop
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (if (i32.eq (local.get 0) (i32.const 10)) (then (call $host)))
      (br_if 0 (local.get 0))))
  (func (export "run") (param i32) (call $inner (local.get 0)))
  (func (export "trap") (call $inner (i32.const 20)) (unreachable)))`;

describe("the fuel", () => {
  it("is on the global, and right, whenever the host runs", async () => {
    const bytes = await assembleWat(WAT);
    const seen = (placement: "merged" | "per-block"): bigint[] => {
      const values: bigint[] = [];
      const { exports, fuel } = load(metered(bytes, { placement }), {
        call: () => values.push(fuel.value),
      });
      exports["run"]?.(30);
      return [...values, fuel.value];
    };
    const [during = 0n, after = 0n] = seen("merged");
    expect(seen("per-block").at(-1)).toBe(after);
    expect(during).toBeGreaterThan(after);
    expect(during).toBeLessThan(BUDGET);
  });

  it("taken away by the host is gone", async () => {
    const module = metered(await assembleWat(WAT));
    const { exports, fuel } = load(module, {
      call: () => {
        fuel.value = 3n;
      },
    });
    expect(() => exports["run"]?.(30)).toThrow("unreachable");
    expect(fuelUse(3n, fuel.value)).toMatchObject({ exhausted: true });
  });

  it("is spent further by a call that the host makes from within a call", async () => {
    const module = metered(await assembleWat(WAT));
    const costOf = (host: (exports: Exports) => void): bigint => {
      let depth = 0;
      const { exports, fuel } = load(module, {
        call: () => {
          if (depth++ === 0) host(exports);
        },
      });
      exports["run"]?.(30);
      return BUDGET - fuel.value;
    };
    const alone = costOf(() => {});
    expect(costOf((exports) => exports["inner"]?.(9))).toBeGreaterThan(alone + 9n);
  });

  it("is known after an exception of the host, and not after a trap", async () => {
    const module = metered(await assembleWat(WAT));
    const { exports, fuel } = load(module, {
      call: () => {
        throw new Error("the host's");
      },
    });
    expect(() => exports["run"]?.(30)).toThrow("the host's");
    expect(fuelUse(BUDGET, fuel.value)).toMatchObject({ exact: true, exhausted: false });
    const other = load(module, { call: () => {} });
    expect(() => other.exports["trap"]?.()).toThrow("unreachable");
    expect(fuelUse(BUDGET, other.fuel.value)).toEqual({
      used: BUDGET,
      exact: false,
      exhausted: false,
    });
  });

  it("left by a trap that the host swallowed ends the call", async () => {
    const module = metered(await assembleWat(WAT));
    const { exports } = load(module, {
      call: () => {
        try {
          exports["trap"]?.();
        } catch {}
      },
    });
    expect(() => exports["run"]?.(30)).toThrow("unreachable");
  });

  it("changes neither what a function is in tables and exports nor its type", async () => {
    const module = metered(await assembleWat(WAT));
    const { exports } = load(module, { call: () => {} });
    const table = (exports as unknown as { table: { get(index: number): unknown } }).table;
    expect(table.get(0)).toBe(exports["inner"]);
    expect(exports["inner"]?.length).toBe(1);
    expect(exports["inner"]?.(30)).toBeUndefined();
  });
});

it("a function with too many locals is charged per block, says so, and still passes its fuel on", async () => {
  const wat = `(module (func $leaf (param i32) (result i32) (local.get 0))
    (func (export "run") (param i32) (result i32)
      (local ${"i32 ".repeat(49_997)}) (call $leaf (local.get 0))))`;
  const module = metered(await assembleWat(wat));
  expect(module.fallbacks).toEqual([{ function: 1, reason: "too many locals" }]);
  const { exports, fuel } = load(module);
  expect(exports["run"]?.(7)).toBe(7);
  const reference = load(metered(await assembleWat(wat), { placement: "per-block" }));
  expect(reference.exports["run"]?.(7)).toBe(7);
  expect(fuel.value).toBe(reference.fuel.value);
});

const FEATURES = { tail_call: true, exceptions: true };

/** Functions that are called directly, so that they take their fuel as a parameter. */
it.each<[string, string]>([
  [
    "a tail call of one that takes it",
    `(func $even (param i32) (result i32)
      (if (result i32) (local.get 0) (then (return_call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
    (func $odd (param i32) (result i32)
      (if (result i32) (local.get 0) (then (return_call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
    (func (export "run") (param i32) (result i32) (call $even (local.get 0)))`,
  ],
  [
    "a tail call of the host",
    `(import "host" "call" (func $host))
    (func $f (if (i32.const 1) (then (return_call $host))))
    (func $g (return_call $f))
    (func (export "run") (param i32) (result i32) (call $g) (call $f) (i32.const 1))`,
  ],
  [
    "tail calls through a table",
    `(table 2 funcref) (elem (i32.const 0) $f $g)
    (type $t (func (param i32) (result i32)))
    (func $f (type $t) (if (result i32) (local.get 0)
      (then (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1)))
      (else (i32.const 1))))
    (func $g (type $t) (return_call $f (local.get 0)))
    (func (export "run") (type $t) (i32.add (call $f (local.get 0)) (call $g (local.get 0))))`,
  ],
  [
    "an exception of a callee",
    `(tag $t (param i32))
    (func $f (param i32) (if (local.get 0) (then (throw $t (local.get 0)))))
    (func (export "run") (param i32) (result i32)
      (try (result i32) (do (call $f (local.get 0)) (i32.const 5)) (catch $t)))`,
  ],
  [
    "an exception that comes to where other code comes as well",
    `(tag $t)
    (func $f (param i32) (if (local.get 0) (then (throw $t))))
    (func (export "run") (param i32) (result i32)
      (block $h (try_table (catch $t $h)
        (call $f (i32.sub (local.get 0) (i32.const 1000))) (call $f (local.get 0))))
      (i32.const 5))`,
  ],
  [
    "an exception that goes back to a loop",
    `(tag $t)
    (func $f (param i32) (if (local.get 0) (then (throw $t))))
    (func (export "run") (param i32) (result i32)
      (loop $l (try_table (catch $t $l)
        (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (call $f (local.get 0))))
      (i32.const 5))`,
  ],
  [
    "an exception that leaves the function as its end does",
    `(tag $t)
    (func $f (param i32) (if (local.get 0) (then (throw $t))))
    (func $g (param i32) (try_table (catch $t 0) (call $f (local.get 0))))
    (func (export "run") (param i32) (result i32) (call $g (local.get 0)) (i32.const 5))`,
  ],
])("survives %s, and is what the reference counts", async (_, body) => {
  const bytes = await assembleWat(`(module ${body})`, FEATURES);
  const seen = ["merged", "per-block"].map((placement) => {
    const module = metered(bytes, { placement: placement as "merged" | "per-block" });
    expect(module.fallbacks.length).toBe(placement === "merged" ? 0 : 1);
    return [1, 2, 100].map((value) => {
      const { exports, fuel } = load(module, { call: () => {} });
      return [exports["run"]?.(value), fuel.value];
    });
  });
  expect(seen[0]).toEqual(seen[1]);
});
