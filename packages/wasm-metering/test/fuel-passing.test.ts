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

describe("what cannot be placed better is charged per block, and said", () => {
  it.each<[string, string]>([
    ["the module has tail calls", `(func $f (return_call $f))`],
    ["the module handles exceptions", `(tag) (func (try (do) (catch 0)))`],
    ["the module throws exceptions", `(tag) (func (throw 0))`],
  ])("%s", async (reason, body) => {
    const module = metered(
      await assembleWat(`(module ${body})`, { tail_call: true, exceptions: true }),
    );
    expect(module.fallbacks).toEqual([{ function: -1, reason }]);
    expect(WebAssembly.validate(module.bytes)).toBe(true);
  });

  it("a function with too many locals, which still passes its fuel on", async () => {
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
});
