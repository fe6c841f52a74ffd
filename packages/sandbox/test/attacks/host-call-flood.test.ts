/** A runner sends host calls and never reads the answers; a module makes host calls for ever (CWE-770). */
import { memoryHostServices } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { hostileRunner } from "../support/hostile-runner.ts";
import { codeOf, openPlugin } from "../support/open-plugin.ts";

it("ends a runner at its second unanswered host call, without growing", async () => {
  await using hostile = await hostileRunner(
    `const ask = frame(HOST_CALL, callId, Buffer.alloc(1 << 19), 1); for (;;) send(ask)`,
  );
  let release = (): void => undefined;
  const held = new Promise<never>((_resolve, reject) => {
    release = () => reject(new Error("too late"));
  });
  await using open = await openPlugin(flatPlugin(), {
    deps: { runnerProgram: hostile.path },
    services: memoryHostServices({ variables: { get: () => held } }),
  });
  const before = process.memoryUsage().arrayBuffers;
  expect(codeOf(await open.call("echo", "x"))).toBe("SANDBOX_PROTOCOL");
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
  release();
});

it("ends a module that makes host calls for ever at its limit", async () => {
  let logged = 0;
  await using open = await openPlugin(
    `(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "extism:host/env" "log_info" (func $log (param i64)))
      (func (export "flood") (result i32)
        (loop $for_ever (call $log (call $alloc (i64.const 8))) (br $for_ever)) (i32.const 0)))`,
    {
      abi: "extism",
      limits: { hostCalls: 50 },
      services: memoryHostServices({ log: () => void (logged += 1) }),
    },
  );
  expect(codeOf(await open.call("flood"))).toBe("SANDBOX_HOST_CALL_LIMIT");
  expect(logged).toBe(50);
});

it("ends a module that makes host calls too fast, whatever each call may make", async () => {
  let logged = 0;
  await using open = await openPlugin(
    `(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "extism:host/env" "log_info" (func $log (param i64)))
      (func (export "ten") (result i32) (local $left i32)
        (local.set $left (i32.const 10))
        (loop $more
          (call $log (call $alloc (i64.const 8)))
          (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (i32.const 0)))`,
    {
      abi: "extism",
      limits: { hostCalls: 10, hostCallsPerSecond: 1 },
      services: memoryHostServices({ log: () => void (logged += 1) }),
    },
  );
  expect(codeOf(await open.call("ten"))).toBe("SANDBOX_HOST_CALL_RATE");
  expect(logged).toBe(1);
});

it("refuses a host call that is too large, and takes it for no attack", async () => {
  await using open = await openPlugin(
    `(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "extism:host/env" "log_info" (func $log (param i64)))
      (func (export "log") (result i32) (call $log (call $alloc (i64.const 17000000))) (i32.const 0))
      (func (export "nothing") (result i32) (i32.const 0)))`,
    { abi: "extism" },
  );
  const [pid] = open.plugin.status().pids;
  expect(codeOf(await open.call("log"))).toBe("SANDBOX_HOST_CALL_REFUSED");
  expect((await open.call("nothing")).ok).toBe(true);
  expect(open.plugin.status().pids).toEqual([pid]);
});
