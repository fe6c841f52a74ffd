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
    expect(endingOf(await assembleWat(`(module ${body})`, FEATURES))).toEqual(OUT_OF_FUEL);
  });

  it("a recursion that branches 60 times, between types that are one though written differently", async () => {
    const call = `(call_indirect (type $written)
      (i32.sub (local.get 0) (i32.const 1)) (ref.null extern) (i32.const 0))`;
    const bytes = await assembleWat(
      `(module (type $defined (func (param i32 externref))) (type $written (func (param i32 externref)))
      (table 1 funcref) (elem (i32.const 0) $f)
      (func $f (type $defined) (if (local.get 0) (then ${call} ${call})))
      (func (export "run")
        (call_indirect (type $written) (i32.const 60) (ref.null extern) (i32.const 0))))`,
      FEATURES,
    );
    expect(endingOf(withLongExternref(bytes))).toEqual(OUT_OF_FUEL);
  });

  it.each<[string, string]>([
    [
      "calls of a recursion that come back at once",
      `(func $f (param i32) (if (local.get 0) (then (call $g)))
        ${`(block (br_if 0 (i32.const 0)) ${"(drop (i32.const 1))".repeat(600)})`.repeat(3)})
      (func $g ${"(call $f (i32.const 0))".repeat(5_000)})
      (func (export "run") (loop (call $g) (br 0)))`,
    ],
    [
      "small functions of many locals that call each other",
      `${Array.from(
        { length: 14 },
        (_, index) =>
          `(func (local ${"i64 ".repeat(2_000)}) ${index < 13 ? `(call ${index + 1})`.repeat(2) : ""})`,
      ).join("")}
      (func (export "run") (loop (call 0) (br 0)))`,
    ],
  ])("within the budget many times over: %s", async (_, body) => {
    const { bytes, fuelExport } = metered(await assembleWat(`(module ${body})`));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    const fuel = exports[fuelExport] as { value: bigint };
    fuel.value = 20_000n;
    expect(() => (exports["run"] as () => void)()).toThrow("unreachable");
    expect(fuel.value).toBeLessThan(-1n);
    expect(fuel.value).toBeGreaterThan(-1_000_000n);
  });

  it("exceptions that pass 5,000 catches of another kind, each of which is asked", async () => {
    const catches = "(catch 1)".repeat(5_000);
    const text = `(tag) (tag (param i32)) (func (export "run")
      (loop (try (do (throw 0)) ${catches.replaceAll("catch 1)", "catch 1 drop)")} (catch 0)) (br 0)))`;
    const { bytes, fuelExport } = metered(await assembleWat(`(module ${text})`, FEATURES));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    const fuel = exports[fuelExport] as { value: bigint };
    fuel.value = 5_000n;
    expect(() => (exports["run"] as () => void)()).toThrow("unreachable");
    // One throw is more than there is, and not the fifth.
    expect(fuel.value).toBeLessThan(-1_000n);
  });
});

const OUT_OF_FUEL = ["unreachable true", null];

/** How a process ends that runs the metered module with {@link BUDGET}. */
function endingOf(original: Uint8Array): unknown {
  const { bytes, fuelExport, startExport } = metered(original);
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
  return [stdout.trim(), signal];
}

/** The module with `externref` of its first type written in the long form of references: 63 6f. */
function withLongExternref(bytes: Uint8Array): Uint8Array {
  const [sizeAt, typeAt] = [9, bytes.indexOf(0x6f)];
  const longer = Uint8Array.from([...bytes.subarray(0, typeAt), 0x63, ...bytes.subarray(typeAt)]);
  longer[sizeAt] = (longer[sizeAt] as number) + 1;
  if (!WebAssembly.validate(longer)) throw new Error("not as it is written here");
  return longer;
}

it("recursion ends at the engine's stack, charged for what it ran", async () => {
  const module = metered(await assembleWat(`(module (func $f (export "run") (call $f)))`));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const fuel = exports[module.fuelExport] as { value: bigint };
  fuel.value = 2n ** 62n;
  expect(() => (exports["run"] as () => void)()).toThrow(RangeError);
  expect(fuel.value).toBeLessThan(2n ** 62n - 1_000n);
});
