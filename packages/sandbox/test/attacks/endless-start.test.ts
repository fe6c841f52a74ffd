/**
 * What runs before the first call: start functions, constant expressions, initialisers. A plugin that
 * never finishes there, or makes the engine work for ever, must meet the same limits as in a call
 * (CWE-400, CWE-835).
 */
import { createSandbox } from "@glovebox/sandbox";
import { callScope, memoryHostServices } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { FLAT_BASE, flatPlugin } from "../support/fixtures.ts";
import { arraysInGlobals } from "../support/gc-modules.ts";
import { loadPlugin, textOf } from "../support/open-plugin.ts";

const SPIN = "(loop $for_ever (br $for_ever))";
const CPU_MS = 40;

it.each([
  ["a start function", `(module ${FLAT_BASE} (func $start ${SPIN}) (start $start))`, "flat"],
  ["_initialize", `(module (func (export "_initialize") ${SPIN}))`, "extism"],
  ["__wasm_call_ctors", `(module (func (export "__wasm_call_ctors") ${SPIN}))`, "extism"],
] as const)("ends %s that take too long", async (_name, module, abi) => {
  await using sandbox = await createSandbox({ poolSize: 0 });
  const other = await loadPlugin(sandbox, flatPlugin());
  await expect(
    loadPlugin(sandbox, module, { abi, limits: { cpuMs: CPU_MS } }),
  ).rejects.toMatchObject({ code: "SANDBOX_CPU_LIMIT" });
  const echo = await other.call(callScope(), "echo", new TextEncoder().encode("unharmed"));
  expect(textOf(echo)).toBe("unharmed");
  await expect.poll(() => sandbox.status().runners.live).toBe(1);
});

it("counts constant expressions, which run after the engine's verdict", async () => {
  const bytes = arraysInGlobals(50_000, 128);
  await using sandbox = await createSandbox({ poolSize: 0 });
  const reserved = await sandbox.reserve({ pluginId: "bomb" as never, limits: { cpuMs: 25 } });
  if (!reserved.allowed) throw new Error(reserved.reason);
  expect(await reserved.value.validate(bytes)).toMatchObject({ allowed: true });
  const services = memoryHostServices();
  const modules = [{ name: "main", bytes }];
  expect(await reserved.value.start({ abi: "flat", modules, services })).toMatchObject({
    allowed: false,
    code: "SANDBOX_CPU_LIMIT",
  });
});

it("lets a start that needs less pass under the same limit", async () => {
  await using sandbox = await createSandbox({ poolSize: 0 });
  const plugin = await loadPlugin(sandbox, flatPlugin(), { limits: { cpuMs: CPU_MS } });
  expect(plugin.functions).toContain("echo");
});

it("ends a start function that waits for host calls longer than its wall time", async () => {
  await using sandbox = await createSandbox({ poolSize: 0 });
  const never = memoryHostServices({ variables: { get: () => new Promise(() => undefined) } });
  const module = `(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
    (func (export "_initialize") (drop (call $var_get (call $alloc (i64.const 8))))))`;
  await expect(
    loadPlugin(sandbox, module, { abi: "extism", limits: { wallMs: 50 }, services: never }),
  ).rejects.toMatchObject({ code: "SANDBOX_WALL_LIMIT" });
});
