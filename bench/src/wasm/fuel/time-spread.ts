/**
 * @module How long a unit of fuel may take: the slowest over the fastest seconds for 1e9 units, over
 * programs that do one thing which is dear for its price.
 */
import { assembleWat } from "@glovebox/testkit";

import { median } from "../../measure.ts";
import { BUDGET, fuel, metered } from "./metered.ts";
import { threadClock } from "./thread-clock.ts";

const ROUNDS = 5;
const TURN_MS = 20;
const FEATURES = {
  exceptions: true,
  bulk_memory: true,
  reference_types: true,
  threads: true,
  memory64: true,
};
const loop = (body: string, before = "", result = "(local.get $x)"): string =>
  `(func (export "run") (param $n i32) (result i32) (local $x i32) (local $f f64) ${before}
    (loop $l ${body} (br_if $l (i32.lt_s (i32.const 0) (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    ${result})`;

/** Text by what it hurts. */
const HOSTILE: Readonly<Record<string, string>> = {
  "register arithmetic": loop(
    `(local.set $x (i32.add (i32.rotl (local.get $x) (i32.const 3)) (local.get $n)))`,
  ),
  "cache misses": `(memory 1024) ${loop(
    `(local.set $x (i32.load (local.get $x)))`,
    // A walk through 64 MiB by a stride that no prefetcher follows, laid out once.
    `(if (i32.eqz (i32.load (i32.const 0))) (then (local.set $x (i32.const 0))
      (loop $fill (i32.store (i32.shl (local.get $x) (i32.const 6))
        (i32.shl (i32.and (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)) (i32.const 1048575)) (i32.const 6)))
        (br_if $fill (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (i32.const 1048576)))) (local.set $x (i32.const 0))))`,
  )}`,
  denormals: loop(
    `(local.set $f (f64.mul (f64.add (local.get $f) (f64.const 3e-310)) (f64.const 0.5)))`,
    `(local.set $f (f64.const 1e-310))`,
    `(i32.trunc_f64_s (local.get $f))`,
  ),
  division: loop(
    `(local.set $x (i32.add (i32.div_s (i32.const 2147480000) (i32.or (local.get $x) (i32.const 3))) (local.get $n)))`,
  ),
  "long division": `(func (export "run") (param $n i32) (result i32) (local $x i64)
    (loop $l (local.set $x (i64.add (i64.rem_u (i64.const -3) (i64.or (local.get $x) (i64.const 5))) (i64.const 7)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (i32.wrap_i64 (local.get $x)))`,
  "square roots": loop(
    `(local.set $f (f64.sqrt (f64.add (local.get $f) (f64.const 2))))`,
    "",
    `(i32.trunc_f64_s (local.get $f))`,
  ),
  atomics: `(memory 1) ${loop(`(local.set $x (i32.atomic.rmw.add (i32.const 0) (local.get $n)))`)}`,
  "filling memory": `(memory 64) ${loop(`(memory.fill (i32.const 0) (local.get $n) (i32.const 4000000))`)}`,
  "copying little": `(memory 1) ${loop(`(memory.copy (i32.const 0) (i32.const 64) (i32.const 1))`)}`,
  "filling a table": `(table 10000 funcref) ${loop(`(table.fill (i32.const 0) (ref.null func) (i32.const 10000))`)}`,
  "filling a table with a function": `(table 10000 funcref) (func $f) (elem declare func $f)
    ${loop(`(table.fill (i32.const 0) (ref.func $f) (i32.const 10000))`)}`,
  "copying a table": `(table 10001 funcref) (func $f) (elem declare func $f)
    ${loop(
      `(table.copy (i32.const 1) (i32.const 0) (i32.const 10000))`,
      `(table.fill (i32.const 0) (ref.func $f) (i32.const 10001))`,
    )}`,
  "copying nothing of a table": `(table 1 funcref) ${loop(`(table.copy (i32.const 0) (i32.const 0) (i32.const 0))`)}`,
  "calls through a table": `(table 1 funcref) (elem (i32.const 0) $f) (func $f)
    ${loop(`(call_indirect (i32.const 0))`)}`,
  "growing memory by nothing": `(memory 1) ${loop(`(drop (memory.grow (i32.const 0)))`)}`,
  throwing: `(tag $t) (func $f (throw $t)) ${loop(`(block $h (try_table (catch $t $h) (call $f)))`)}`,
};

/** The figure, and seconds for each program. */
export async function timeSpread(): Promise<{ readonly ratio: number; readonly note: string }> {
  const now = await threadClock();
  const seconds = new Map<string, number>();
  for (const [name, text] of Object.entries(HOSTILE)) {
    const module = metered(await assembleWat(`(module ${text})`, FEATURES));
    const { exports } = fuel(
      new WebAssembly.Instance(new WebAssembly.Module(module.bytes)),
      module,
    );
    const global = exports[module.fuelExport] as unknown as { value: bigint };
    const run = exports["run"] as (turns: number) => number;
    const figures: number[] = [];
    for (let turns = 1; figures.length < ROUNDS;) {
      global.value = BUDGET;
      const start = now();
      run(turns);
      const ms = now() - start;
      if (ms < TURN_MS) turns *= 2;
      else figures.push((ms / Number(BUDGET - global.value)) * 1e6);
    }
    seconds.set(name, median(figures));
  }
  const values = [...seconds.values()];
  const rows = Array.from(seconds, ([name, value]) => `${name} ${value.toPrecision(2)}`);
  return {
    ratio: Math.max(...values) / Math.min(...values),
    note: `seconds for 1e9 units: ${rows.join(", ")}`,
  };
}
