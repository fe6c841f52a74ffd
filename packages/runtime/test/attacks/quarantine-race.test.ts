/**
 * A plugin is stopped while it is being loaded or released: an order that came at that moment and was
 * forgotten would leave a bad plugin running although the operator has stopped it (CWE-362).
 */
import { setImmediate } from "node:timers/promises";

import { buildPluginPackage } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { ECHO, flatPlugin, openRuntime } from "../open-runtime.ts";

const WASM = flatPlugin({ run: ECHO });

it("keeps a quarantine that comes while the plugin is released", async () => {
  await using host = await openRuntime();
  await host.load({ id: "bad", wasm: WASM });
  await host.runtime.quarantine("bad", "first");
  const releasing = host.runtime.release("bad");
  expect(host.runtime.list()).toMatchObject([{ state: "loading" }]);
  expect(await host.runtime.quarantine("bad", "second")).toBe(true);
  expect(await releasing).toMatchObject({ ok: false, error: { code: "RUNTIME_QUARANTINED" } });
  expect(host.runtime.list()).toMatchObject([
    { state: "quarantined", reason: "second", processes: 0 },
  ]);
  expect(await host.call("bad", "run")).toBe("RUNTIME_QUARANTINED");
  expect(await host.runtime.release("bad")).toMatchObject({ ok: true });
  expect(await host.call("bad", "run", "back")).toBe("back");
});

it("refuses a first load during which the plugin is quarantined", async () => {
  await using host = await openRuntime();
  await using plugin = await buildPluginPackage({ id: "bad", wasm: WASM });
  const loading = host.runtime.load(plugin.path);
  while (host.runtime.list().length === 0) await setImmediate();
  expect(host.runtime.list()).toMatchObject([{ state: "loading" }]);
  expect(await host.runtime.quarantine("bad", "stop")).toBe(true);
  expect(await loading).toMatchObject({ ok: false, error: { code: "RUNTIME_QUARANTINED" } });
  expect(host.runtime.list()).toEqual([]);
});
