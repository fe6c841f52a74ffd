/** Tables of references, which count neither as memory nor as instructions (CWE-770). */
import { expect, it } from "vitest";

import { FLAT_BASE } from "../support/fixtures.ts";
import { openPlugin, textOf } from "../support/open-plugin.ts";

const LIMIT = 100_000;

it("refuses a table above the limit with the engine's reason", async () => {
  const module = `(module ${FLAT_BASE} (table ${LIMIT + 1} funcref))`;
  // Node 22 looks at it when the module is instantiated.
  const code = expect.stringMatching(/^SANDBOX_(MODULE_INVALID|TRAP)$/);
  await expect(openPlugin(module)).rejects.toMatchObject({ code });
});

it("stops many tables of a size that is allowed", async () => {
  const module = `(module ${FLAT_BASE} ${`(table ${LIMIT} funcref)`.repeat(1_000)})`;
  await expect(openPlugin(module)).rejects.toMatchObject({ code: "SANDBOX_MEMORY_LIMIT" });
});

it.each(["funcref", "externref"])("answers -1 when a table of %s grows too far", async (type) => {
  await using open = await openPlugin(`(module ${FLAT_BASE} (table $table 1 ${type})
    (func (export "grow") (param i32 i32) (result i32 i32)
      (i32.store (i32.const 0) (table.grow $table (ref.null ${type.replace("ref", "")}) (i32.const 10000000)))
      (i32.const 0) (i32.const 4)))`);
  const outcome = await open.call("grow");
  if (!outcome.ok) throw new Error(outcome.error.message);
  expect(new Int32Array(outcome.output.buffer)).toEqual(Int32Array.of(-1));
  expect(textOf(await open.call("grow"))).toBe("\uFFFD".repeat(4));
});
