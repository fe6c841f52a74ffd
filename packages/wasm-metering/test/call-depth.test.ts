/** @module The depth of calls, where the host asks for it to be counted. */
import { assembleWat } from "@glovebox/testkit";
import {
  fuelUse,
  isTooDeep,
  MeteringError,
  meterModule,
  type MeteringOptions,
} from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { metered, validated } from "./run-module.ts";

const BUDGET = 2n ** 40n;
const WAYS: readonly MeteringOptions[] = [{}, { placement: "per-block" }];

interface Loaded {
  /** Calls `run` at depth 0: its result, `too deep`, or what was thrown. */
  readonly run: (times?: number) => unknown;
  readonly call: (times: number) => unknown;
  readonly depth: { value: number };
  readonly used: () => bigint;
}

async function load(wat: string, options: MeteringOptions, host = {}): Promise<Loaded> {
  const bytes = await assembleWat(`(module ${wat})`, { exceptions: true, tail_call: true });
  const module = metered(bytes, options);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), { host });
  const global = (name = ""): unknown => instance.exports[name] ?? { value: 0 };
  const fuel = global(module.fuelExport) as { value: bigint };
  const depth = global(module.depthExport) as { value: number };
  const call = instance.exports["run"] as (times: number) => unknown;
  const run = (times = 0): unknown => {
    fuel.value = BUDGET;
    depth.value = 0;
    try {
      return call(times);
    } catch (error) {
      return isTooDeep(depth.value) ? "too deep" : String(error);
    }
  };
  return { run, call, depth, used: () => fuelUse(BUDGET, fuel.value).used };
}

const NEXT = `(i32.sub (local.get 0) (i32.const 1))`;
const AGAIN = (call: string): string => `(if (local.get 0) (then (drop ${call}))) (i32.const 7)`;
/** Each is `times` + 1 calls deep. */
const RECURSIONS: Readonly<Record<string, string>> = {
  itself: `(func $f (export "run") (param i32) (result i32) ${AGAIN(`(call $f ${NEXT})`)})`,
  "each other": `
    (func $f (export "run") (param i32) (result i32) ${AGAIN(`(call $g ${NEXT})`)})
    (func $g (param i32) (result i32) ${AGAIN(`(call $f ${NEXT})`)})`,
  "itself through a table": `(table 1 1 funcref) (elem (i32.const 0) $f)
    (func $f (export "run") (param i32) (result i32)
      ${AGAIN(`(call_indirect (param i32) (result i32) ${NEXT} (i32.const 0))`)})`,
  "itself through a table that others may write to": `
    (table (export "table") 1 1 funcref) (elem (i32.const 0) $f)
    (func $f (export "run") (param i32) (result i32)
      ${AGAIN(`(call_indirect (param i32) (result i32) ${NEXT} (i32.const 0))`)})`,
  "a leaf at the end": `
    (func $f (export "run") (param i32) (result i32)
      (if (result i32) (i32.gt_u (local.get 0) (i32.const 1))
        (then (call $f ${NEXT}))
        (else (if (result i32) (local.get 0) (then (call $leaf)) (else (i32.const 7))))))
    (func $leaf (result i32) (i32.const 7))`,
};

const TAIL = (call: string): string => `(if (local.get 0) (then ${call})) (i32.const 7)`;
const TAIL_CALLS: Readonly<Record<string, string>> = {
  "of a function": `(func $f (export "run") (param i32) (result i32) ${TAIL(`(return_call $f ${NEXT})`)})`,
  "through a table": `(table 1 1 funcref) (elem (i32.const 0) $f)
    (func $f (export "run") (param i32) (result i32)
      ${TAIL(`(return_call_indirect (param i32) (result i32) ${NEXT} (i32.const 0))`)})`,
  "behind a call": `
    (func $f (export "run") (param i32) (result i32) (drop (call $leaf)) ${TAIL(`(return_call $f ${NEXT})`)})
    (func $leaf (result i32) (i32.const 7))`,
  "behind a caught exception": `(tag $e)
    (func $f (export "run") (param i32) (result i32)
      (block $h (try_table (catch_all $h) (call $outer)))
      ${TAIL(`(return_call $f ${NEXT})`)})
    (func $outer (call $throw))
    (func $throw (throw $e))`,
};

/** `$deep` throws from five calls down; what stands here is caught, and `$leaf` called then. */
const HANDLERS: Readonly<Record<string, string>> = {
  try: `(try (do (call $deep (i32.const 5))) (catch_all))`,
  "try with a tag": `(try (do (call $deep (i32.const 5))) (catch $e))`,
  try_table: `(block $h (try_table (catch $e $h) (call $deep (i32.const 5))))`,
  "a loop": `(loop $l (if (i32.eqz (local.get 1)) (then (local.set 1 (i32.const 1))
    (try_table (catch_all $l) (call $deep (i32.const 5))))))`,
  "delegate, and the try around": `(try (do (try (do (call $deep (i32.const 5))) (delegate 0))) (catch_all))`,
  "one that throws it on, and another": `(try (do (try (do (call $deep (i32.const 5))) (catch_all (rethrow 0)))) (catch_all))`,
};
const DEEP = `(tag $e) (func $deep (param i32)
  (if (local.get 0) (then (call $deep ${NEXT})) (else (throw $e))))`;

describe.each(WAYS)("counted with %j", (way) => {
  it.each(Object.entries(RECURSIONS))(
    "a function that calls %s ends at the bound",
    async (_, wat) => {
      const { run, depth } = await load(wat, { ...way, maxCallDepth: 50 });
      expect(run(49)).toBe(7);
      expect(depth.value).toBe(0);
      expect(run(50)).toBe("too deep");
      expect(run(1_000_000)).toBe("too deep");
      expect(run(49)).toBe(7);
    },
  );

  it.each(Object.entries(TAIL_CALLS))("a tail call %s takes no depth", async (_, wat) => {
    const { run, depth } = await load(wat, { ...way, maxCallDepth: 3 });
    expect(run(10_000)).toBe(7);
    expect(depth.value).toBe(0);
  });

  it.each(Object.entries(HANDLERS))(
    "an exception caught by %s leaves no depth behind",
    async (_, handler) => {
      const wat = `${DEEP} (func (export "run") (param i32) (result i32) (local i32)
      (loop $again (local.set 1 (i32.const 0)) ${handler}
        (br_if $again (local.tee 0 ${NEXT})))
      (call $deep (i32.const 5)) (i32.const 7))`;
      const { run } = await load(wat, { ...way, maxCallDepth: 7 });
      expect(run(100)).toContain("Exception");
      const { run: bounded } = await load(wat, { ...way, maxCallDepth: 6 });
      expect(bounded(1)).toBe("too deep");
    },
  );

  it.each(Object.entries(HANDLERS))(
    "a function that returns from %s comes back at its depth",
    async (_, handler) => {
      const wat = `${DEEP} (func (export "run") (param i32) (local i32) ${handler})`;
      const { run, depth } = await load(wat, { ...way, maxCallDepth: 7 });
      expect(run()).toBeUndefined();
      expect(depth.value).toBe(0);
    },
  );

  it("an exception that a function's own label catches leaves no depth behind", async () => {
    const wat = `${DEEP} (func (export "run") (param i32)
      (try_table (catch_all 0) (call $deep (i32.const 5))))`;
    const { run, depth } = await load(wat, { ...way, maxCallDepth: 7 });
    expect(run()).toBeUndefined();
    expect(depth.value).toBe(0);
  });

  it("what the host calls meanwhile is as deep as the host is", async () => {
    let again: (times: number) => unknown = () => 0;
    let calls = 0;
    const host = {
      call: (times: number) => {
        for (let left = 3; left > 0 && ++calls < 1_000_000; left--) again(times);
      },
    };
    const wat = `(import "host" "call" (func $host (param i32)))
      (func (export "run") (param i32) (if (local.get 0) (then (call $host ${NEXT}))))`;
    const { run, call, depth } = await load(wat, { ...way, maxCallDepth: 6 }, host);
    again = call;
    expect(run(5)).toBeUndefined();
    expect(calls).toBe(3 + 9 + 27 + 81 + 243);
    expect(depth.value).toBe(0);
    expect(run(6)).toBe("too deep");
  });

  it("another trap is none of depth, and too much depth ends whatever is called next", async () => {
    const wat = `(func $f (export "run") (param i32)
      (if (i32.eqz (local.get 0)) (then unreachable)) (call $f ${NEXT}))`;
    const { run, call, depth } = await load(wat, { ...way, maxCallDepth: 6 });
    expect(run(5)).toBe("RuntimeError: unreachable");
    expect(run(6)).toBe("too deep");
    expect(() => call(0)).toThrow("unreachable");
    expect(isTooDeep(depth.value)).toBe(true);
  });

  it("counting depth costs no fuel", async () => {
    for (const wat of [...Object.values(RECURSIONS), ...Object.values(TAIL_CALLS)]) {
      const counted = await load(wat, { ...way, maxCallDepth: 100 });
      const plain = await load(wat, way);
      expect(counted.run(20)).toBe(plain.run(20));
      expect(counted.used()).toBe(plain.used());
    }
  });

  it("the start function is counted", async () => {
    const bytes = await assembleWat(`(module (start $f) (func $f (call $f)))`);
    const module = metered(bytes, { ...way, maxCallDepth: 10 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
    (exports[module.fuelExport] as unknown as { value: bigint }).value = BUDGET;
    expect(exports[module.startExport ?? ""]).toThrow("unreachable");
    const depth = exports[module.depthExport ?? ""] as unknown as { value: number };
    expect(isTooDeep(depth.value)).toBe(true);
  });
});

it("only where the host asks is depth counted, and the bound is part of what a cache is keyed by", async () => {
  const bytes = await assembleWat(`(module (func $f (call $f)))`);
  expect(metered(bytes)).toMatchObject({
    depthExport: undefined,
    maxima: { callDepth: undefined },
  });
  const counted = metered(bytes, { maxCallDepth: 9 });
  expect(counted.maxima.callDepth).toBe(9);
  expect(counted.depthExport).toMatch(/^glovebox:depth:[0-9a-f]{16}$/);
  expect(counted.bytes).not.toEqual(metered(bytes, { maxCallDepth: 8 }).bytes);
});

it("a bound of none lets nothing run, and one that is no bound is refused", async () => {
  const { run } = await load(`(func (export "run") (param i32))`, { maxCallDepth: 0 });
  expect(run()).toBe("too deep");
  const proof = validated(await assembleWat(`(module)`));
  for (const maxCallDepth of [-1, 0.5, 1_000_001, Number.NaN]) {
    expect(() => meterModule(proof, { maxCallDepth })).toThrow(MeteringError);
  }
});

it("a function that calls and has no local to spare is refused where depth is counted", async () => {
  const wat = (locals: number): string =>
    `(module (func $f (local ${"i32 ".repeat(locals)}) (call $f)))`;
  const meter = async (locals: number, options: MeteringOptions): Promise<unknown> => {
    const decision = meterModule(validated(await assembleWat(wat(locals))), options);
    return decision.allowed ? WebAssembly.validate(decision.value.bytes) : decision.code;
  };
  expect(await meter(50_000, {})).toBe(true);
  expect(await meter(49_999, { maxCallDepth: 9 })).toBe(true);
  expect(await meter(50_000, { maxCallDepth: 9 })).toBe("METERING_LIMIT");
});
