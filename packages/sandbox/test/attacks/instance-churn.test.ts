/**
 * A fresh instance for each call: many memories follow each other in one process. What the old
 * ones held must be had again, nothing of it may be seen, and the limit must not be met by garbage.
 */
import { expect, it } from "vitest";

import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

const PLUGIN = `(module
  (memory (export "memory") 1)
  (table $table (export "table") 1 funcref)
  (global $calls (mut i32) (i32.const 48))
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "fill") (param i32 i32) (result i32 i32)
    (drop (memory.grow (i32.const 500)))
    (memory.fill (i32.const 65536) (i32.const 120) (i32.const 32000000))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 0) (global.get $calls))
    (i32.const 0) (i32.const 1))
  (func (export "look") (param i32 i32) (result i32 i32)
    (drop (memory.grow (i32.const 500)))
    (i32.const 65536) (i32.const 64))
  (func (export "trap") (param i32 i32) (result i32 i32) (unreachable)))`;

it("gives 40 calls 32 MB each, under a limit of 64 MB", async () => {
  await using open = await openPlugin(PLUGIN, { spec: { instance: "call" } });
  const [pid] = open.plugin.status().pids;
  for (let call = 0; call < 40; call++) expect(textOf(await open.call("fill"))).toBe("1");
  expect(textOf(await open.call("look"))).toBe("\0".repeat(64));
  expect(open.plugin.status().pids).toEqual([pid]);
});

it("gives the call after a trap an instance of its own too", async () => {
  await using open = await openPlugin(PLUGIN);
  for (let round = 0; round < 12; round++) {
    expect(textOf(await open.call("fill"))).toBe("1");
    expect(codeOf(await open.call("trap"))).toBe("SANDBOX_TRAP");
  }
});
