/** Calls of different tenants never meet in one process (contract.md 2). */
import { expect, it } from "vitest";

import { FLAT_BASE } from "./support/fixtures.ts";
import { codeOf, openPlugin, textOf } from "./support/open-plugin.ts";

/** Answers what the call before it left in memory, and leaves its own input there. */
const LEAKY = `(module ${FLAT_BASE}
  (global $kept (mut i32) (i32.const 0))
  (func (export "swap") (param $at i32) (param $length i32) (result i32 i32)
    (memory.copy (i32.const 4096) (i32.const 2048) (i32.const 64))
    (memory.copy (i32.const 2048) (local.get $at) (local.get $length))
    (i32.const 4096) (global.get $kept) (global.set $kept (local.get $length)))
  (func (export "spin") (param i32 i32) (result i32 i32) (loop $l (br $l)) (unreachable)))`;

it("gives each tenant processes of its own", async () => {
  await using open = await openPlugin(LEAKY);
  await open.call("swap", "secret of alice", "alice");
  expect(textOf(await open.call("swap", "from bob", "bob"))).toBe("");
  expect(textOf(await open.call("swap", "again", "alice"))).toBe("secret of alice");
  expect(open.plugin.status().runners).toBe(2);
});

it("ends an idle tenant's process for another tenant when there may be no more", async () => {
  await using open = await openPlugin(LEAKY, { spec: { maxRunners: 2 } });
  for (const tenant of ["a", "b", "c", "d", "a"]) {
    expect(textOf(await open.call("swap", "x", tenant))).toBe("");
  }
  expect(open.plugin.status().runners).toBeLessThanOrEqual(2);
});

it("lets a tenant wait while all processes serve others, and gives it one of its own", async () => {
  await using open = await openPlugin(LEAKY, { spec: { maxRunners: 1 }, limits: { cpuMs: 200 } });
  const [first] = open.plugin.status().pids;
  await open.call("swap", "secret of alice", "alice");
  const spinning = open.call("spin", "", "alice");
  expect(textOf(await open.call("swap", "x", "bob"))).toBe("");
  expect(codeOf(await spinning)).toBe("SANDBOX_CPU_LIMIT");
  expect(open.plugin.status().pids).not.toContain(first);
});

it("lets tenants share only when the option says so", async () => {
  await using open = await openPlugin(LEAKY, { spec: { shareRunners: true } });
  await open.call("swap", "from alice", "alice");
  expect(textOf(await open.call("swap", "from bob", "bob"))).toBe("from alice");
});

it("runs calls of one tenant side by side on as many processes as allowed", async () => {
  await using open = await openPlugin(LEAKY, {
    spec: { runnersPerTenant: 2 },
    limits: { cpuMs: 300 },
  });
  const spinning = open.call("spin");
  expect(textOf(await open.call("swap", "x"))).toBe("");
  expect(codeOf(await spinning)).toBe("SANDBOX_CPU_LIMIT");
});

it("drains: finishes what waits, takes nothing new, leaves no process", async () => {
  await using open = await openPlugin(LEAKY);
  const calls = ["a", "b", "c"].map((text) => open.call("swap", text));
  const drained = open.plugin.drain();
  expect(codeOf(await open.call("swap", "late"))).toBe("SANDBOX_CLOSED");
  await drained;
  expect((await Promise.all(calls)).map(textOf)).toEqual(["", "a", "b"]);
  expect(open.plugin.status().runners).toBe(0);
});
