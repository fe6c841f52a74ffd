/** Runners are replaced in good order: no call is lost, none runs twice for its caller. */
import { createSandbox } from "@glovebox/sandbox";
import { callScope, memoryHostServices } from "@glovebox/testkit";
import { describe, expect, it } from "vitest";

import { FLAT_BASE } from "./support/fixtures.ts";
import { codeOf, loadPlugin, openPlugin, textOf } from "./support/open-plugin.ts";

const COUNTER = `(module ${FLAT_BASE}
  (global $calls (mut i32) (i32.const 0))
  (func (export "count") (param i32 i32) (result i32 i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 0) (i32.add (i32.const 48) (global.get $calls)))
    (i32.const 0) (i32.const 1))
  (func (export "grow") (param i32 i32) (result i32 i32)
    (drop (memory.grow (i32.const 800)))
    (memory.fill (i32.const 65536) (i32.const 1) (i32.const 52000000))
    (i32.const 0) (i32.const 1))
  (func (export "outside") (param i32 i32) (result i32 i32) (i32.const -1) (i32.const 1))
  (func (export "trap") (param i32 i32) (result i32 i32) (unreachable)))`;

describe("a runner", () => {
  it("is replaced after its number of calls, one after the other", async () => {
    // CONFIGURE, VALIDATE, LOAD, INSTANTIATE count too; a later runner has no VALIDATE.
    await using open = await openPlugin(COUNTER, { spec: { recycle: { calls: 6 } } });
    const counts: string[] = [];
    for (let call = 0; call < 8; call++) counts.push(textOf(await open.call("count")));
    expect(counts.join("")).toBe("12123123");
  });

  it("answers everything that it was sent when it is replaced amid a flood", async () => {
    await using open = await openPlugin(COUNTER, { spec: { recycle: { calls: 20 } } });
    const outcomes = await Promise.all(Array.from({ length: 300 }, () => open.call("count")));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    await expect.poll(() => open.sandbox.status().runners.live).toBeLessThanOrEqual(1);
  });

  it("is replaced when its memory is at the mark", async () => {
    await using open = await openPlugin(COUNTER, {
      spec: { recycle: { residentBytes: 80 * 2 ** 20 } },
    });
    const [first] = open.plugin.status().pids;
    expect((await open.call("grow")).ok).toBe(true);
    for (let call = 0; call < 70; call++) expect((await open.call("count")).ok).toBe(true);
    expect(open.plugin.status().pids).not.toContain(first);
  });

  it("is replaced after a violation, and not after a trap", async () => {
    await using open = await openPlugin(COUNTER);
    const [first] = open.plugin.status().pids;
    expect(codeOf(await open.call("trap"))).toBe("SANDBOX_TRAP");
    expect(textOf(await open.call("count"))).toBe("1");
    expect(open.plugin.status().pids).toEqual([first]);
    const [violation, behind] = await Promise.all([open.call("outside"), open.call("count")]);
    expect(codeOf(violation)).toBe("SANDBOX_OUTPUT_RANGE");
    expect(textOf(behind)).toBe("1");
    expect(open.plugin.status().pids).not.toContain(first);
  });
});

describe("a call that was behind when its runner ended for another plugin", () => {
  const LOGGING = `(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "log_info" (func $log (param i64)))
    (func (export "log") (result i32) (local $left i32)
      (local.set $left (i32.const 3000000))
      (loop $more (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $log (call $alloc (i64.const 8)))
      (i32.const 0)))`;

  it("runs on the next one, and its host calls happen once", async () => {
    let logged = 0;
    const services = memoryHostServices({ log: () => void (logged += 1) });
    await using sandbox = await createSandbox({ poolSize: 0, maxRunners: 1 });
    const flooding = await loadPlugin(sandbox, LOGGING, { abi: "extism", services });
    const flood = Array.from({ length: 100 }, () =>
      flooding.call(callScope(), "log", new Uint8Array(0)),
    );
    const other = await loadPlugin(sandbox, COUNTER);
    expect(textOf(await other.call(callScope(), "count", new Uint8Array(0)))).toBe("1");
    const outcomes = await Promise.all(flood);
    expect(outcomes.map((outcome) => (outcome.ok ? "" : codeOf(outcome))).join("")).toBe("");
    expect(logged).toBe(100);
  });
});
