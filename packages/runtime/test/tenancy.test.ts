import { expect, test } from "vitest";

import { flatPlugin, openRuntime } from "./open-runtime.ts";

/** Answers the byte that the last call left in the process, and leaves the one it got. */
const REMEMBER = `
  (i32.store8 (i32.const 1) (global.get $kept))
  (global.set $kept (i32.load8_u (local.get $at)))
  (i32.const 1) (i32.const 1)`;
const PLUGIN = flatPlugin({ run: REMEMBER }, "(global $kept (mut i32) (i32.const 45))");

test("never lets two tenants meet in one process", async () => {
  await using host = await openRuntime();
  await host.load({ id: "keeps", wasm: PLUGIN });
  const call = (text: string, tenantId: string): Promise<string> =>
    host.call("keeps", "run", text, { tenantId });
  expect(await call("a", "acme")).toBe("-");
  expect(await call("g", "globex")).toBe("-");
  expect(await call("b", "acme")).toBe("a");
  expect(host.runtime.list()).toMatchObject([{ processes: 2 }]);
});

test("lets tenants share a process only where the operator says so", async () => {
  await using host = await openRuntime({ tenancy: { shareRunners: true } });
  await host.load({ id: "keeps", wasm: PLUGIN });
  await host.call("keeps", "run", "a", { tenantId: "acme" });
  expect(await host.call("keeps", "run", "g", { tenantId: "globex" })).toBe("a");
  expect(host.runtime.list()).toMatchObject([{ processes: 1 }]);
  expect(host.runtime.status().loosened).toContain("tenancy.shareRunners");
});

test("gives each call an instance of its own where the manifest says so", async () => {
  await using host = await openRuntime();
  await host.load({ id: "keeps", wasm: PLUGIN, instance: "call" });
  expect(await host.call("keeps", "run", "a")).toBe("-");
  expect(await host.call("keeps", "run", "b")).toBe("-");
});
