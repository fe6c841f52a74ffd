import { assembleWat } from "@glovebox/testkit";
/** @module What entering a function costs, its callers pay: once each time, whoever they are. */
import { readModule } from "@glovebox/wasm-binary";
import { opcodeNamed, OperatorReader } from "@glovebox/wasm-binary/operators";
import { fuelUse, type Placement } from "@glovebox/wasm-metering";
import { describe, expect, it } from "vitest";

import { metered } from "./run-module.ts";

const LEAF = `(func $leaf (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))`;
const TYPE = `(type $op (func (param i32) (result i32)))`;
const DEAR = `(func $dear (type $op) (i32.mul (i32.add (local.get 0) (i32.const 1)) (i32.const 3)))`;

const MODULES: Readonly<Record<string, string>> = {
  "called directly": `${LEAF} (func (export "run") (param i32) (result i32) (call $leaf (call $leaf (local.get 0))))`,
  "called by the host": `${LEAF} (export "run" (func $leaf)) (func (export "other") (result i32) (call $leaf (i32.const 1)))`,
  "called in some turns": `${LEAF} (func (export "run") (param i32) (result i32) (local $i i32)
    (loop $l (if (i32.and (local.get $i) (i32.const 1)) (then (local.set 0 (call $leaf (local.get 0)))))
      (br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9)))) (local.get 0))`,
  "that calls another": `${LEAF} (func $middle (param i32) (result i32) (i32.add (call $leaf (local.get 0)) (i32.const 1)))
    (func (export "run") (param i32) (result i32) (call $middle (call $middle (local.get 0))))`,
  "in a closed table with a dearer one": `${TYPE} (table 2 2 funcref) (elem (i32.const 0) $leaf $dear) ${LEAF} ${DEAR}
    (func (export "run") (param i32) (result i32)
      (call $leaf (call_indirect (type $op) (call_indirect (type $op) (local.get 0) (i32.const 0)) (i32.const 1))))`,
  "in a closed table with one of the host's": `${TYPE} (import "host" "add" (func $add (type $op)))
    (table 2 2 funcref) (elem (i32.const 0) $leaf $add) ${LEAF}
    (func (export "run") (param i32) (result i32)
      (call_indirect (type $op) (call_indirect (type $op) (local.get 0) (i32.const 0)) (i32.const 1)))`,
  "in an open table": `${TYPE} (table (export "table") 2 2 funcref) (elem (i32.const 0) $leaf $dear) ${LEAF} ${DEAR}
    (func (export "run") (param i32) (result i32)
      (call $leaf (call_indirect (type $op) (local.get 0) (i32.const 1))))`,
  "gone on as": `${LEAF} (func (export "run") (param i32) (result i32) (return_call $leaf (local.get 0)))
    (func (export "other") (result i32) (call $leaf (i32.const 1)))`,
  "gone on as by one that takes fuel": `${LEAF} (func $next (param i32) (result i32) (return_call $leaf (local.get 0)))
    (func (export "run") (param i32) (result i32) (i32.add (call $next (local.get 0)) (call $leaf (i32.const 1))))`,
  "in a circle": `(func $even (param i32) (result i32) (if (result i32) (local.get 0)
      (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
    (func $odd (param i32) (result i32) (if (result i32) (local.get 0)
      (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
    (func (export "run") (param i32) (result i32) (call $even (local.get 0)))`,
  "called by one with too many locals": `${LEAF}
    (func (export "run") (param i32) (result i32) (local ${"i32 ".repeat(49_998)}) (call $leaf (local.get 0)))`,
};

function run(bytes: Uint8Array, placement: Placement, budget = 2n ** 62n): string {
  const module = metered(bytes, { placement });
  const imports = { host: { add: (value: number) => value + 1 } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), imports);
  const fuel = exports[module.fuelExport] as unknown as { value: bigint };
  fuel.value = budget;
  try {
    const result = (exports["run"] as (value: number) => number)(7);
    return `${result} for ${fuelUse(budget, fuel.value).used}`;
  } catch (error) {
    const { exhausted } = fuelUse(budget, fuel.value);
    return `${(error as Error).message}${exhausted ? ", exhausted" : ""}`;
  }
}

describe.each(Object.entries(MODULES))("a function %s", (_, text) => {
  it("costs the same, to the unit", async () => {
    const bytes = await assembleWat(`(module ${text})`, { tail_call: true });
    const reference = run(bytes, "per-block");
    expect(reference).toMatch(/^\d+ for \d+$/u);
    expect(run(bytes, "merged")).toBe(reference);
    const used = BigInt(reference.split(" for ")[1] ?? "0");
    expect(run(bytes, "merged", used)).toBe(reference);
    expect(run(bytes, "merged", used - 1n)).toBe("unreachable, exhausted");
  });
});

it.each(["called directly", "in a closed table with a dearer one"])(
  "a small function %s has no charge of its own",
  async (name) => {
    const bytes = await assembleWat(`(module ${MODULES[name] as string})`);
    const reading = readModule(metered(bytes).bytes);
    if (!reading.allowed) throw new Error(reading.reason);
    const { bodies, bytes: written } = reading.value;
    const reader = new OperatorReader(written);
    reader.openBody(bodies.startOf(0), bodies.endOf(0));
    const charge = opcodeNamed("i64.sub");
    for (let opcode = reader.next(); opcode >= 0; opcode = reader.next()) {
      expect(opcode).not.toBe(charge);
    }
  },
);
