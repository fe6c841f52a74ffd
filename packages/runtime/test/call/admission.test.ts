/** What a runtime passes on to the limiter: who waits, how long, in which order, and tenants' rates. */
import type { CallContext, CallOptions, RuntimeConfig } from "@glovebox/runtime";
import { expect, test } from "vitest";

import { ECHO, flatPlugin, openRuntime, reachingPlugin } from "../open-runtime.ts";

/** A runtime with a plugin whose calls wait at a gate, and the tenants that have come so far. */
async function openGate(resources: RuntimeConfig["resources"]) {
  const entered: string[] = [];
  const gate = Promise.withResolvers<void>();
  const host = await openRuntime({
    resources: { maxConcurrentCalls: 1, maxQueueWaitMs: 60_000, ...resources },
    hostFunctions: {
      wait: {
        parameters: ["bytes"],
        result: "none",
        async call({ tenantId = "" }) {
          entered.push(tenantId);
          await gate.promise;
          return { allowed: true, rule: "test", value: undefined };
        },
      },
    },
  });
  const wasm = reachingPlugin(["wait"])
    .replace('"wait" (func $wait (param i64) (result i64))', '"wait" (func $wait (param i64))')
    .replace(
      "(call $answer (call $wait (call $input)))",
      "(call $wait (call $input)) (i32.const 0)",
    );
  await host.load({ id: "waits", abi: "extism", wasm });
  const call = async (context: CallContext, options?: CallOptions): Promise<string> => {
    const bytes = Buffer.from("x");
    const outcome = await host.runtime.executePluginFunction(
      "waits",
      "wait",
      context,
      bytes,
      options,
    );
    return outcome.ok ? "done" : outcome.error.code;
  };
  return { host, entered, open: () => gate.resolve(), call };
}

test.each([{ maxConcurrentCallsPerPlugin: 1, maxConcurrentCalls: 8 }, { maxConcurrentCalls: 1 }])(
  "maxConcurrentCallsPerPlugin and maxConcurrentCalls bound what runs at once: %j",
  async (resources) => {
    const { host, entered, open, call } = await openGate(resources);
    await using _ = host;
    const calls = [call({ tenantId: "a" }), call({ tenantId: "b" })];
    await expect.poll(() => entered).toEqual(["a"]);
    open();
    expect(await Promise.all(calls)).toEqual(["done", "done"]);
    expect(entered).toEqual(["a", "b"]);
  },
);

test("priority says who goes first where calls wait", async () => {
  const { host, entered, open, call } = await openGate({});
  await using _ = host;
  const first = call({ tenantId: "first" });
  await expect.poll(() => entered).toEqual(["first"]);
  const others = [
    call({ tenantId: "low" }, { priority: "low" }),
    call({ tenantId: "normal" }),
    call({ tenantId: "high" }, { priority: "high" }),
  ];
  open();
  expect(await Promise.all([first, ...others])).toEqual(Array(4).fill("done"));
  expect(entered).toEqual(["first", "high", "normal", "low"]);
});

test("maxQueuedCalls: 0 lets no call wait, maxQueueWaitMs none for long", async () => {
  for (const resources of [
    { maxQueuedCalls: 0 },
    { maxQueuedCallsPerPlugin: 0 },
    { maxQueueWaitMs: 1 },
  ]) {
    const { host, entered, open, call } = await openGate(resources);
    await using _ = host;
    const first = call({});
    await expect.poll(() => entered).toHaveLength(1);
    expect(await call({})).toMatch(/^LIMITER_(?:QUEUE|CONCURRENCY)/);
    open();
    expect(await first).toBe("done");
  }
});

test("tenantCallsPerSecond and tenantCallBurst hold across a tenant's plugins", async () => {
  const resources = { tenantCallsPerSecond: 0.001, tenantCallBurst: 2 };
  await using host = await openRuntime({ resources });
  const wasm = flatPlugin({ run: ECHO });
  await host.load({ id: "one", wasm });
  await host.load({ id: "two", wasm });
  const acme = { tenantId: "acme" };
  expect(await host.call("one", "run", "1", acme)).toBe("1");
  expect(await host.call("two", "run", "2", acme)).toBe("2");
  expect(await host.call("one", "run", "3", acme)).toBe("LIMITER_RATE");
  expect(await host.call("one", "run", "4", { tenantId: "other" })).toBe("4");
});

test("a priority that there is not is misuse", async () => {
  await using host = await openRuntime();
  const options = { priority: "urgent" } as unknown as CallOptions;
  const call = host.runtime.executePluginFunction("one", "run", {}, "x", options);
  await expect(call).rejects.toMatchObject({ code: "RUNTIME_USAGE" });
});
