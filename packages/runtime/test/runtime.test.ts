import { join } from "node:path";

import { verifyAuditLog } from "@glovebox/auditor";
import { PluginRuntime } from "@glovebox/runtime";
import { buildPluginPackage, pluginDirectory, recordingDecisionLog } from "@glovebox/testkit";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { ECHO, flatPlugin, openRuntime, reachingPlugin, SPIN, TRAP } from "./open-runtime.ts";
import { tgz } from "./package/tar-archive.ts";

test("loads a plugin and calls it, with bytes as they are and JSON as JSON", async () => {
  await using host = await openRuntime();
  await using plugin = await buildPluginPackage({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  const loaded = await host.runtime.load(plugin.path);
  expect(loaded).toMatchObject({
    ok: true,
    plugin: { id: "echo", version: "1.0.0", types: ["template"], state: "ready" },
  });
  expect(await host.call("echo", "run", "as it is")).toBe("as it is");
  const outcome = await host.runtime.executePluginFunction("echo", "run", {}, "quoted");
  expect(outcome.ok && Buffer.from(outcome.output).toString()).toBe('"quoted"');
  expect(outcome.usage).toMatchObject({ inputBytes: 8, outputBytes: 8, networkRequests: 0 });
  expect(outcome.usage.wallMs).toBeGreaterThan(0);
});

test("lists plugins with their state, functions, grant and health", async () => {
  await using host = await openRuntime();
  await host.load({ id: "echo", types: ["auth", "response"], wasm: flatPlugin({ run: ECHO }) });
  const [info] = host.runtime.list();
  expect(info).toMatchObject({
    id: "echo",
    types: ["auth", "response"],
    state: "ready",
    functions: ["run"],
    health: "healthy",
    processes: 1,
    pendingCalls: 0,
    quotas: [],
  });
  expect(info?.grantId).toMatch(/^[0-9a-f-]{36}$/);
  expect(host.runtime.health("echo")).toMatchObject({ status: "healthy", recentCalls: 0 });
  expect(host.runtime.health("nobody")).toBeUndefined();
});

test("records a load, its grant, a call and a refusal in one verifiable chain", async () => {
  await using host = await openRuntime();
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  await host.runtime.executePluginFunction("echo", "run", { userId: "lovelace" }, "hello");
  expect(await host.call("nobody", "run")).toBe("RUNTIME_PLUGIN_UNKNOWN");
  const events = await host.events();
  expect(events.map(({ kind }) => kind)).toEqual([
    "opened",
    "opened",
    "opened",
    "loosening",
    "started",
    "load",
    "validate",
    "load",
    "validate",
    "verify",
    "grant",
    "validate",
    "load",
    "call",
    "call",
    "call",
  ]);
  const [start, end, refused] = events.slice(-3);
  expect(start).toMatchObject({ rule: "call.start", function: "run" });
  expect(end).toMatchObject({ rule: "call.end", success: true });
  // The person stands in the log under a pseudonym.
  expect(start?.subject).toMatch(/^[\w-]{22}$/);
  expect(end?.subject).toBe(start?.subject);
  expect(JSON.stringify(events)).not.toContain("lovelace");
  expect(end?.resourceUsage).toMatchObject({ inputBytes: 7, outputBytes: 7 });
  expect(end?.callId).toBe(start?.callId);
  expect(refused).toMatchObject({ success: false, code: "RUNTIME_PLUGIN_UNKNOWN" });
  await host.runtime.close();
  for (const kept of ["security", "activity", "operations"]) {
    const report = await verifyAuditLog(join(host.auditDirectory, kept));
    expect(report).toMatchObject({ ok: true });
  }
});

test("puts another version in a plugin's place while calls of the old one finish", async () => {
  await using host = await openRuntime();
  const spinForAWhile = `(local $i i32) (loop $again
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $i) (i32.const 200000000)))) ${ECHO}`;
  await host.load({ id: "echo", version: "1.0.0", wasm: flatPlugin({ run: spinForAWhile }) });
  const running = host.call("echo", "run", "old");
  await host.load({ id: "echo", version: "2.0.0", wasm: flatPlugin({ run: ECHO, more: ECHO }) });
  expect(await host.call("echo", "more", "new")).toBe("new");
  expect(await running).toBe("old");
  expect(host.runtime.list()).toMatchObject([{ version: "2.0.0", functions: ["run", "more"] }]);
});

test("keeps the old version when the new one is refused", async () => {
  await using host = await openRuntime();
  await host.load({ id: "echo", version: "1.0.0", wasm: flatPlugin({ run: ECHO }) });
  await using broken = await buildPluginPackage({
    id: "echo",
    version: "2.0.0",
    wasm: Buffer.from("not a module"),
  });
  expect(await host.runtime.load(broken.path)).toMatchObject({
    ok: false,
    error: { code: "WASM_MAGIC" },
  });
  expect(await host.call("echo", "run", "still there")).toBe("still there");
});

test("refuses the same version twice, and a second load of an id that is being loaded", async () => {
  await using host = await openRuntime();
  await using plugin = await buildPluginPackage({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  const codes = (
    await Promise.all([host.runtime.load(plugin.path), host.runtime.load(plugin.path)])
  )
    .map((result) => (result.ok ? "ok" : result.error.code))
    .sort();
  expect(codes).toEqual(["RUNTIME_PLUGIN_BUSY", "ok"]);
  expect(await host.runtime.load(plugin.path)).toMatchObject({
    error: { code: "RUNTIME_PLUGIN_DUPLICATE" },
  });
});

test("unloads a plugin with its process", async () => {
  await using host = await openRuntime();
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  expect(await host.runtime.unload("echo")).toBe(true);
  expect(await host.runtime.unload("echo")).toBe(false);
  expect(await host.call("echo", "run")).toBe("RUNTIME_PLUGIN_UNKNOWN");
  expect(host.runtime.list()).toEqual([]);
});

test("shuts down: every plugin is stopped, running calls end, later ones are refused", async () => {
  await using host = await openRuntime();
  await host.load({ id: "spin", wasm: flatPlugin({ run: SPIN }) });
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  expect(await host.call("echo", "run", "before")).toBe("before");
  const running = host.call("spin", "run");
  await host.runtime.shutdown("the operator said so");
  expect(await running).toBe("SANDBOX_ABORTED");
  expect(await host.call("echo", "run")).toBe("RUNTIME_SHUT_DOWN");
  expect(host.runtime.status().ready).toBe(false);
  expect(host.runtime.list().map(({ state, processes }) => [state, processes])).toEqual([
    ["quarantined", 0],
    ["quarantined", 0],
  ]);
  await using plugin = await buildPluginPackage({ id: "late", wasm: flatPlugin({ run: ECHO }) });
  expect(await host.runtime.load(plugin.path)).toMatchObject({
    error: { code: "RUNTIME_SHUT_DOWN" },
  });
  expect(await host.runtime.release("echo")).toMatchObject({ ok: false });
});

test("serves metrics of calls by plugin and code", async () => {
  await using host = await openRuntime();
  await host.load({ id: "mixed", wasm: flatPlugin({ run: ECHO, trap: TRAP }) });
  await host.call("mixed", "run");
  await host.call("mixed", "trap");
  const text = host.runtime.metricsText();
  expect(text).toContain('glovebox_plugin_calls_total{plugin="mixed",code="OK"} 1');
  expect(text).toContain('glovebox_plugin_calls_total{plugin="mixed",code="SANDBOX_TRAP"} 1');
});

test("refuses misuse by throwing, and nothing else", async () => {
  await using host = await openRuntime();
  const call = (...args: readonly unknown[]): Promise<unknown> =>
    (host.runtime.executePluginFunction as (...all: readonly unknown[]) => Promise<unknown>).apply(
      host.runtime,
      args as unknown[],
    );
  await expect(call(1, "run", {}, "x")).toThrowCode("RUNTIME_USAGE");
  await expect(call("echo", "run", null, "x")).toThrowCode("RUNTIME_USAGE");
  await expect(call("echo", "run", {}, undefined)).toThrowCode("RUNTIME_USAGE");
  await expect(host.runtime.load(7 as unknown as string)).toThrowCode("RUNTIME_USAGE");
});

test("does not open when its start cannot be recorded", async () => {
  const log = recordingDecisionLog();
  log.refuseWith("AUDITOR_QUEUE_FULL");
  await expect(PluginRuntime.open({ deps: { decisionLog: log } })).toThrowCode(
    "RUNTIME_NOT_RECORDED",
  );
});

test("keeps an id taken until its last call has ended, so that nothing of two plugins mixes", async () => {
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  await using host = await openRuntime({
    hostFunctions: {
      wait: {
        parameters: ["bytes"],
        result: "bytes",
        async call(_scope, [bytes]) {
          entered.resolve();
          await gate.promise;
          return { allowed: true, rule: "test", value: bytes };
        },
      },
    },
  });
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin(["wait"]) });
  await host.call("reach", "remember", "kept");
  const running = host.call("reach", "wait", "late");
  await entered.promise;
  const unloading = host.runtime.unload("reach");
  expect(await host.call("reach", "recall")).toBe("RUNTIME_PLUGIN_UNKNOWN");
  await expect(host.load({ id: "reach", wasm: flatPlugin({ run: ECHO }) })).rejects.toThrow(
    "RUNTIME_PLUGIN_BUSY",
  );
  gate.resolve();
  expect(await running).toBe("late");
  expect(await unloading).toBe(true);
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin(["wait"]) });
  expect(await host.call("reach", "recall")).toBe("");
});

test("ends also calls of a version that was replaced when it shuts down", async () => {
  await using host = await openRuntime();
  await host.load({ id: "spin", version: "1.0.0", wasm: flatPlugin({ run: SPIN }) });
  const running = host.call("spin", "run");
  await host.load({ id: "spin", version: "2.0.0", wasm: flatPlugin({ run: ECHO }) });
  await host.runtime.shutdown("test");
  expect(await running).toMatch(/^SANDBOX_/);
});

test("loads a plugin from an archive", async () => {
  await using host = await openRuntime();
  await using plugin = await buildPluginPackage({ id: "packed", wasm: flatPlugin({ run: ECHO }) });
  const entries = [...plugin.files].map(([name, body]) => ({ name, body }));
  await using archive = await pluginDirectory({ "packed.tgz": tgz(entries) });
  const loaded = await host.runtime.load(join(archive.path, "packed.tgz"));
  expect(loaded).toMatchObject({ ok: true, plugin: { id: "packed" } });
  expect(await host.call("packed", "run", "unpacked")).toBe("unpacked");
});

test("refuses calls while a plugin is loaded for the first time", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({ deps: { decisionLog: log } });
  await using plugin = await buildPluginPackage({ id: "slow", wasm: flatPlugin({ run: ECHO }) });
  log.holdDurability();
  const loading = host.runtime.load(plugin.path);
  await expect.poll(() => host.runtime.list()[0]?.state).toBe("loading");
  const call = host.call("slow", "run");
  log.releaseDurability();
  expect(await call).toBe("RUNTIME_NOT_READY");
  expect(await loading).toMatchObject({ ok: true });
  expect(await host.call("slow", "run", "now")).toBe("now");
});

test("shows a plugin that could not be started again as failed, with the reason to be read", async () => {
  await using host = await openRuntime();
  const wasm = flatPlugin({ run: ECHO });
  await host.load({ id: "base", wasm });
  await host.load({ id: "user", wasm, dependencies: { base: "^1.0.0" } });
  await host.runtime.quarantine("user", "test");
  await host.runtime.unload("base");
  expect(await host.runtime.release("user")).toMatchObject({
    ok: false,
    error: { code: "MANIFEST_DEPENDENCY_MISSING" },
  });
  expect(host.runtime.list()).toMatchObject([{ id: "user", state: "failed", processes: 0 }]);
  expect(host.runtime.list()[0]?.reason).toContain("MANIFEST_DEPENDENCY_MISSING");
  expect(await host.call("user", "run")).toBe("RUNTIME_FAILED");
  await host.load({ id: "base", wasm });
  expect(await host.runtime.release("user")).toMatchObject({ ok: true });
  expect(await host.call("user", "run", "back")).toBe("back");
});
