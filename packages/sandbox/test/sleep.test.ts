/** Plugins without work give back their processes and memory, and wake as what they were. */
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createSandbox, type Sandbox, type SandboxedPlugin } from "@glovebox/sandbox";
import { assembleWat, callScope, fakeClock, memoryHostServices } from "@glovebox/testkit";
import { describe, expect, it } from "vitest";

import { flatPlugin } from "./support/fixtures.ts";
import { codeOf, loadPlugin, openPlugin, textOf } from "./support/open-plugin.ts";

const echo = (plugin: SandboxedPlugin, text: string, tenantId?: string) =>
  plugin.call(
    callScope(tenantId === undefined ? {} : { tenantId }),
    "echo",
    new TextEncoder().encode(text),
  );

describe("a plugin", () => {
  it("sleeps when it is told to, and wakes at its next call", async () => {
    await using open = await openPlugin(flatPlugin());
    expect(open.plugin.status().state).toBe("ready");
    await open.plugin.sleep();
    expect(open.plugin.status()).toMatchObject({ state: "sleeping", runners: 0 });
    expect(open.sandbox.status().runners.live).toBe(0);
    const woken = await Promise.all(["a", "b", "c"].map((text) => echo(open.plugin, text)));
    expect(woken.map(textOf)).toEqual(["a", "b", "c"]);
    expect(open.plugin.status()).toMatchObject({ state: "ready", runners: 1 });
  });

  it("lets its calls finish before it sleeps", async () => {
    await using open = await openPlugin(flatPlugin());
    const calls = ["a", "b"].map((text) => echo(open.plugin, text));
    await open.plugin.sleep();
    expect((await Promise.all(calls)).map(textOf)).toEqual(["a", "b"]);
  });

  it("sleeps by itself after its time without a call, and not before", async () => {
    // The runner's idle time is real; the clock that looks is the test's.
    const clock = fakeClock();
    await using sandbox = await createSandbox({ poolSize: 0, sleepAfterMs: 60_000 }, { clock });
    const plugin = await loadPlugin(sandbox, flatPlugin());
    clock.advance(Math.floor(performance.now()));
    expect(textOf(await echo(plugin, "x"))).toBe("x");
    clock.advance(40_000);
    expect(plugin.status().state).toBe("ready");
    clock.advance(60_000);
    await expect.poll(() => plugin.status().state).toBe("sleeping");
  });

  it("gives up an idle process for another plugin when there is no room", async () => {
    await using sandbox = await createSandbox({ poolSize: 0, maxRunners: 2 });
    const plugins: SandboxedPlugin[] = [];
    for (let at = 0; at < 5; at++) plugins.push(await loadPlugin(sandbox, flatPlugin()));
    for (const round of ["first", "second"]) {
      for (const plugin of plugins) expect(textOf(await echo(plugin, round))).toBe(round);
    }
    expect(sandbox.status().runners.live).toBeLessThanOrEqual(2);
  });

  it("ends for good while it sleeps", async () => {
    await using open = await openPlugin(flatPlugin());
    await open.plugin.sleep();
    await open.plugin.kill("the operator removes it");
    expect(codeOf(await echo(open.plugin, "x"))).toBe("SANDBOX_ABORTED");
  });

  it("answers an aborted caller while it waits for a runner", async () => {
    await using sandbox = await createSandbox({ poolSize: 0, maxRunners: 1 });
    const busy = await loadPlugin(sandbox, flatPlugin(), { limits: { cpuMs: 400 } });
    const spinning = busy.call(callScope(), "spin", new Uint8Array(0));
    const waiting = await register(sandbox);
    const scope = callScope();
    const call = waiting.call(scope, "echo", new Uint8Array(0));
    scope.controller.abort();
    expect(codeOf(await call)).toBe("SANDBOX_ABORTED");
    expect(codeOf(await spinning)).toBe("SANDBOX_CPU_LIMIT");
  });
});

describe("a registered plugin", () => {
  it("costs no process until its first call", async () => {
    await using sandbox = await createSandbox({ poolSize: 0 });
    const plugin = await register(sandbox);
    expect(plugin.status()).toMatchObject({ state: "sleeping", runners: 0 });
    expect(sandbox.status().runners.live).toBe(0);
    expect(textOf(await echo(plugin, "first"))).toBe("first");
    expect(plugin.functions).toEqual(["echo", "spin"]);
  });

  it("refuses the call when it cannot be started", async () => {
    await using sandbox = await createSandbox({ poolSize: 0 });
    const plugin = await register(sandbox, Buffer.from("no module"));
    expect(codeOf(await echo(plugin, "x"))).toBe("SANDBOX_MODULE_INVALID");
    expect(codeOf(await echo(plugin, "x"))).toBe("SANDBOX_MODULE_INVALID");
  });

  it("refuses a function that it does not have once it is awake", async () => {
    await using sandbox = await createSandbox({ poolSize: 0 });
    const plugin = await register(sandbox);
    const missing = plugin.call(callScope(), "toString", new Uint8Array(0));
    expect(codeOf(await missing)).toBe("SANDBOX_EXPORT_MISSING");
  });

  it("is refused with limits that would be none, and by a closed sandbox", async () => {
    const sandbox = await createSandbox({ poolSize: 0 });
    const spec = { abi: "flat", modules: [], services: memoryHostServices() } as const;
    const limits = { cpuMs: Number.NaN };
    expect(await sandbox.register({ ...spec, pluginId: "x" as never, limits })).toMatchObject({
      code: "SANDBOX_OPTIONS",
    });
    await sandbox.close();
    expect(await sandbox.register({ ...spec, pluginId: "x" as never })).toMatchObject({
      code: "SANDBOX_CLOSED",
    });
  });
});

describe("the store of sleeping plugins", () => {
  it("holds one file for each module, and none when nobody wants it", async () => {
    const before = storeFolders();
    await using sandbox = await createSandbox({ poolSize: 0 });
    const [first, second] = [await register(sandbox), await register(sandbox)];
    const [folder = ""] = storeFolders().filter((name) => !before.includes(name));
    expect(readdirSync(folder)).toHaveLength(1);
    await first.kill("gone");
    expect(textOf(await echo(second, "still there"))).toBe("still there");
    await second.kill("gone");
    expect(readdirSync(folder)).toEqual([]);
    await sandbox.close();
    expect(storeFolders()).not.toContain(folder);
  });
});

async function register(sandbox: Sandbox, bytes?: Uint8Array): Promise<SandboxedPlugin> {
  const registered = await sandbox.register({
    pluginId: "sleeper" as never,
    abi: "flat",
    modules: [{ name: "main", bytes: bytes ?? (await assembleWat(flatPlugin())) }],
    services: memoryHostServices(),
  });
  if (!registered.allowed) throw new Error(registered.reason);
  return registered.value;
}

function storeFolders(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith("glovebox-modules-"))
    .map((name) => join(tmpdir(), name));
}
