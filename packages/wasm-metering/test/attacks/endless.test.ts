/**
 * @module Programs that never end, or nearly never, by every way that code goes on in WebAssembly
 * (CWE-400, CWE-835). They run in a process that is killed when the defence has failed: a worker
 * that loops through tail calls cannot be terminated.
 */
import { spawnSync } from "node:child_process";

import { assembleWat } from "@glovebox/testkit";
import { describe, expect, it } from "vitest";

import { metered } from "../run-module.ts";

const BUDGET = 200_000;
const FEATURES = { tail_call: true, exceptions: true, bulk_memory: true, reference_types: true };
/** Sets the fuel, calls `run`, prints how it ended. */
const SCRIPT = `
  const { bytes, fuel, start } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const module = new WebAssembly.Module(Buffer.from(bytes, "base64"));
  const host = { swallow: () => { try { instance.exports.run(); } catch {} } };
  const instance = new WebAssembly.Instance(module, { host });
  instance.exports[fuel].value = ${BUDGET}n;
  try {
    instance.exports[start ?? "run"]();
    console.log("returned");
  } catch (error) {
    console.log(error.message, String(instance.exports[fuel].value < -1n));
  }`;

/** 40 functions that each call the next one twice: 2^40 calls without a loop or recursion. */
const DOUBLING = Array.from({ length: 40 }, (_, index) =>
  index === 39 ? `(func (nop))` : `(func (call ${index + 1}) (call ${index + 1}))`,
).join("");

describe("runs out of fuel", () => {
  it.each<[string, string]>([
    ["a loop", `(func (export "run") (loop (br 0)))`],
    [
      "a loop entered at each label",
      `(func (export "run") (local i32)
      (loop (loop (loop (br_table 0 1 2 (i32.and (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 3)))))))`,
    ],
    ["recursion as tail calls", `(func $f (export "run") (return_call $f))`],
    ["mutual tail calls", `(func $f (export "run") (return_call $g)) (func $g (return_call $f))`],
    [
      "tail calls through a table",
      `(table 1 funcref) (elem (i32.const 0) $f)
      (func $f (export "run") (return_call_indirect (i32.const 0)))`,
    ],
    ["a call graph that doubles 40 times", `${DOUBLING} (export "run" (func 0))`],
    [
      "a recursion that branches 60 times",
      `(func $f (param i32) (if (local.get 0) (then
        (call $f (i32.sub (local.get 0) (i32.const 1))) (call $f (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "run") (call $f (i32.const 60)))`,
    ],
    [
      "a recursion that branches 60 times, through a table",
      `(table 1 funcref) (elem (i32.const 0) $f) (type $t (func (param i32)))
      (func $f (type $t) (if (local.get 0) (then
        (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
        (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))
      (func (export "run") (call_indirect (type $t) (i32.const 60) (i32.const 0)))`,
    ],
    [
      "a call graph that doubles 40 times, through a table",
      `(table 40 funcref) (elem (i32.const 0) ${Array.from({ length: 40 }, (_, index) => `$f${index}`).join(" ")})
      ${Array.from(
        { length: 40 },
        (_, index) =>
          `(type $t${index} (func (param ${"i32 ".repeat(index)})))
          (func $f${index} (type $t${index}) ${`(call_indirect (type $t${index + 1}) ${"(i32.const 0)".repeat(index + 1)} (i32.const ${index + 1}))`.repeat(index < 39 ? 2 : 0)})`,
      ).join("")} (type $t40 (func (param f32)))
      (func (export "run") (call_indirect (type $t0) (i32.const 0)))`,
    ],
    [
      "filling memory",
      `(memory 1000) (func (export "run")
      (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) (br 0)))`,
    ],
    [
      "copying memory",
      `(memory 1000) (func (export "run")
      (loop (memory.copy (i32.const 0) (i32.const 9) (i32.const 60000000)) (br 0)))`,
    ],
    [
      "filling a table",
      `(table 100000 funcref) (func (export "run")
      (loop (table.fill (i32.const 0) (ref.null func) (i32.const 100000)) (br 0)))`,
    ],
    [
      "growing memory in vain",
      `(memory 1) (func (export "run")
      (loop (drop (memory.grow (i32.const 60000))) (br 0)))`,
    ],
    ["exceptions", `(tag) (func (export "run") (loop (try (do (throw 0)) (catch 0)) (br 0)))`],
    [
      "exceptions from deep frames",
      `(tag) (func $deep (param i32)
        (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (throw 0))))
      (func (export "run") (loop (try (do (call $deep (i32.const 1000))) (catch 0)) (br 0)))`,
    ],
    [
      "30,000 locals at each call",
      `(func $f (local ${"i64 ".repeat(30_000)}))
      (func (export "run") (loop (call $f) (br 0)))`,
    ],
    ["a start function", `(func $s (loop (br 0))) (start $s)`],
    [
      "a host that swallows traps",
      `(import "host" "swallow" (func $swallow))
      (func (export "run") (loop (call $swallow) (br 0)))`,
    ],
  ])("%s", async (_, body) => {
    const { bytes, fuelExport, startExport } = metered(
      await assembleWat(`(module ${body})`, FEATURES),
    );
    const input = JSON.stringify({
      bytes: Buffer.from(bytes).toString("base64"),
      fuel: fuelExport,
      start: startExport,
    });
    const { stdout, signal } = spawnSync(process.execPath, ["-e", SCRIPT], {
      input,
      encoding: "utf8",
      timeout: 15_000,
      killSignal: "SIGKILL",
    });
    expect([stdout.trim(), signal]).toEqual(["unreachable true", null]);
  });
});

it("recursion ends at the engine's stack, charged for what it ran", async () => {
  const module = metered(await assembleWat(`(module (func $f (export "run") (call $f)))`));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const fuel = exports[module.fuelExport] as { value: bigint };
  fuel.value = 2n ** 62n;
  expect(() => (exports["run"] as () => void)()).toThrow(RangeError);
  expect(fuel.value).toBeLessThan(2n ** 62n - 1_000n);
});
