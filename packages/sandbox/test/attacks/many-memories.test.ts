/**
 * A plugin has many modules with a memory of their own, each within the limit of one, and grows them all (CWE-770). What they
 * hold together is the kernel's to bound: RLIMIT_DATA of the process.
 */
import { createSandbox } from "@glovebox/sandbox";
import { assembleWat } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { openPlugin } from "../support/open-plugin.ts";

const MEMORIES = 40;
const PAGES = 256; // 16 MiB
const PAGE_BYTES = 65_536;
const LIMITS = {
  memoryBytes: PAGES * PAGE_BYTES,
  inputBytes: 2 ** 20,
  outputBytes: 2 ** 20,
};
/** As the README says: one memory, input and output, and 192 MiB for the engine. */
const DATA_BYTES = (16 + 1 + 1 + 192) * 2 ** 20;

const OTHER = `(module (memory 0)
  (func (export "grow") (result i32) (memory.grow (i32.const ${PAGES}))))`;

/** Answers how many memories could be grown to the limit. */
const GREEDY = `(module
  ${Array.from({ length: MEMORIES }, (_, at) => `(import "m${at}" "grow" (func $g${at} (result i32)))`).join("\n")}
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) i32.const 1024)
  (func (export "grow") (param i32 i32) (result i32 i32) (local $grown i32)
    ${Array.from(
      { length: MEMORIES },
      (_, at) => `(if (i32.ne (call $g${at}) (i32.const -1))
        (then (local.set $grown (i32.add (local.get $grown) (i32.const 1)))))`,
    ).join("\n")}
    (i32.store8 (i32.const 0) (local.get $grown))
    (i32.const 0) (i32.const 1)))`;

it("cannot be grown beyond the process's limit together", async (context) => {
  await using sandbox = await createSandbox({ poolSize: 0, minimumIsolation: "none" });
  const { isolation } = sandbox.status();
  if (isolation !== "strict") context.skip(`runners reach ${isolation} here`);
  const other = await assembleWat(OTHER);
  const main = await assembleWat(GREEDY);
  const modules = [
    ...Array.from({ length: MEMORIES }, (_, at) => ({ name: `m${at}`, bytes: other })),
    { name: "main", bytes: main },
  ];
  await using open = await openPlugin(main, { limits: LIMITS, spec: { modules } });
  const outcome = await open.call("grow");
  if (!outcome.ok) throw new Error(outcome.error.message);
  const grown = outcome.output[0] ?? 0;
  expect(grown).toBeGreaterThan(0);
  expect(grown * LIMITS.memoryBytes).toBeLessThanOrEqual(DATA_BYTES);
});
