/**
 * @module A module that spends fuel in a call which the host makes, and has the host turn what ended
 * that call into an exception: caught, it must not bring back the fuel of before (CWE-770).
 */
import { assembleWat } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { metered } from "../run-module.ts";

const BUDGET = 10_000n;
/** `$inner` takes its fuel as a parameter; the host throws out of it, and it is called in a `try`. */
const HANDLERS: Readonly<Record<string, string>> = {
  try: `(try (do (call $inner)) (catch_all))`,
  "try around the host": `(try (do (call $host)) (catch_all))`,
  try_table: `(block $h (try_table (catch_all $h) (call $inner)) (return))`,
  "a place that is reached otherwise too": `(block $h (try_table (catch_all $h) (call $inner)))`,
  "such a place around the host": `(block $h (try_table (catch_all $h) (call $host)))`,
  "a loop": `(loop $l (try_table (catch_all $l) (call $inner)))`,
};
const ENDINGS: Readonly<Record<string, string>> = {
  "a trap": `(unreachable)`,
  "running out of fuel": `(loop (br 0))`,
};

const cases = Object.keys(HANDLERS).flatMap((name) =>
  Object.keys(ENDINGS).map((ending) => [ending, name] as const),
);

it.each(cases)("%s, thrown on by the host, caught by %s", async (ending, name) => {
  const bytes = await assembleWat(
    `(module (import "host" "call" (func $host))
    (func $inner (call $host))
    (func (export "spend") ${ENDINGS[ending]})
    (func (export "run") (local $turns i32)
      (loop $again ${HANDLERS[name]}
        (br_if $again (i32.lt_u (local.tee $turns (i32.add (local.get $turns) (i32.const 1))) (i32.const 100))))))`,
    { exceptions: true },
  );
  const module = metered(bytes);
  let spent = 0;
  const host = {
    call: () => {
      try {
        (instance.exports["spend"] as () => void)();
      } catch {
        if (++spent > 10) process.exit(1);
        throw new Error("on");
      }
    },
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), { host });
  const fuel = instance.exports[module.fuelExport] as unknown as { value: bigint };
  fuel.value = BUDGET;
  expect(() => (instance.exports["run"] as () => void)()).toThrow("unreachable");
  expect(spent).toBe(1);
});
