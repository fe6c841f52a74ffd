/** One plugin, or one tenant of it, has more calls than there are processes (CWE-400): others go on. */
import { createSandbox } from "@glovebox/sandbox";
import { callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { FLAT_BASE, flatPlugin } from "../support/fixtures.ts";
import { loadPlugin, openPlugin, textOf } from "../support/open-plugin.ts";

/** Works for some milliseconds. */
const WORKING = `(module ${FLAT_BASE}
  (func (export "work") (param i32 i32) (result i32 i32) (local $left i32)
    (local.set $left (i32.const 5000000))
    (loop $more (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 0) (i32.const 1)))`;
const NOTHING = new Uint8Array(0);

it("serves a quiet plugin long before a flood of eight tenants is over", async () => {
  await using sandbox = await createSandbox({ poolSize: 0, maxRunners: 2 });
  const flooding = await loadPlugin(sandbox, WORKING);
  let open = 0;
  const flood = Array.from({ length: 800 }, async (_, at) => {
    open += 1;
    const outcome = await flooding.call(callScope({ tenantId: String(at % 8) }), "work", NOTHING);
    open -= 1;
    return outcome.ok;
  });
  const quiet = await loadPlugin(sandbox, flatPlugin());
  expect(textOf(await quiet.call(callScope(), "echo", Buffer.from("served")))).toBe("served");
  expect(open).toBeGreaterThan(400);
  expect(sandbox.status().runners.live).toBeLessThanOrEqual(2);
  await flooding.kill("enough");
  expect((await Promise.all(flood)).every((ok) => !ok)).toBe(false);
});

it("serves a quiet tenant long before another's flood is over", async () => {
  await using open = await openPlugin(WORKING, { spec: { maxRunners: 1 } });
  let waiting = 0;
  const flood = Array.from({ length: 400 }, async () => {
    waiting += 1;
    await open.call("work", NOTHING, "flooding");
    waiting -= 1;
  });
  expect((await open.call("work", NOTHING, "quiet")).ok).toBe(true);
  expect(waiting).toBeGreaterThan(200);
  await open.plugin.kill("enough");
  await Promise.all(flood);
});
