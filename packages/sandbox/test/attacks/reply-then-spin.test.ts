/** Two calls in one write: the first is an echo, the second never ends. The first reply must not be lost. */
import { memoryHostServices } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { codeOf, openPlugin, textOf } from "../support/open-plugin.ts";

it("delivers the finished reply, ends the spinning call, and says which calls were not started", async () => {
  await using open = await openPlugin(flatPlugin(), { limits: { cpuMs: 100 } });
  const [finished, spinning, waiting, alsoWaiting] = await Promise.all([
    open.call("echo", "finished"),
    open.call("spin"),
    open.call("echo", "a"),
    open.call("echo", "b"),
  ]);
  expect(textOf(finished)).toBe("finished");
  expect(codeOf(spinning)).toBe("SANDBOX_CPU_LIMIT");
  expect(codeOf(waiting)).toBe("SANDBOX_NOT_STARTED");
  expect(codeOf(alsoWaiting)).toBe("SANDBOX_NOT_STARTED");
  expect(textOf(await open.call("echo", "a new runner"))).toBe("a new runner");
});

it("gives the next call another process while the ended one is still dying", async () => {
  await using open = await openPlugin(flatPlugin(), { limits: { cpuMs: 100 } });
  expect(codeOf(await open.call("spin"))).toBe("SANDBOX_CPU_LIMIT");
  expect(textOf(await open.call("echo", "at once"))).toBe("at once");
});

it("ends a start function that never ends, also when it is run again for a fresh instance", async () => {
  await expect(
    openPlugin(
      `(module (memory (export "memory") 1)
      (func (export "alloc") (param i32) (result i32) (i32.const 0))
      (func $spin (loop $l (br $l))) (start $spin))`,
      { limits: { cpuMs: 100 } },
    ),
  ).rejects.toMatchObject({ code: "SANDBOX_CPU_LIMIT" });
});

it("ends a call that waits too long for its host", async () => {
  const never = new Promise<never>(() => undefined);
  await using open = await openPlugin(
    `(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
      (func (export "wait") (result i32) (drop (call $var_get (call $alloc (i64.const 8)))) (i32.const 0)))`,
    {
      abi: "extism",
      limits: { wallMs: 100 },
      services: memoryHostServices({ variables: { get: () => never } }),
    },
  );
  expect(codeOf(await open.call("wait"))).toBe("SANDBOX_WALL_LIMIT");
});

it("does not blame a plugin for the time in which its host did not read", async () => {
  await using open = await openPlugin(flatPlugin(), { limits: { cpuMs: 40, wallMs: 40 } });
  const calls = Array.from({ length: 20 }, (_, at) => open.call("echo", String(at)));
  await new Promise((resolve) => setImmediate(resolve));
  const until = performance.now() + 120;
  while (performance.now() < until); // the host's event loop is late
  expect((await Promise.all(calls)).map(textOf)).toEqual(calls.map((_, at) => String(at)));
});
