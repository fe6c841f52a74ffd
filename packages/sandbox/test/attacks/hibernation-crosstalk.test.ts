/**
 * Plugins sleep and wake beside one another (CWE-488, CWE-362): one tenant wakes what another left
 * behind, one version wakes as another, or one plugin's end takes away the module that another sleeps
 * on. Modules are stored by digest, so that equal ones share a file.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createSandbox, type SandboxedPlugin } from "@glovebox/sandbox";
import { callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { FLAT_BASE } from "../support/fixtures.ts";
import { codeOf, loadPlugin, textOf } from "../support/open-plugin.ts";

/** Answers its version and what the call before it left in memory, and leaves its own input there. */
const leaky = (version: string): string => `(module ${FLAT_BASE}
  (data (i32.const 4096) "${version}")
  (global $kept (mut i32) (i32.const 0))
  (func (export "swap") (param $at i32) (param $length i32) (result i32 i32)
    (memory.copy (i32.const 4097) (i32.const 2048) (i32.const 64))
    (memory.copy (i32.const 2048) (local.get $at) (local.get $length))
    (i32.const 4096) (i32.add (i32.const 1) (global.get $kept)) (global.set $kept (local.get $length))))`;

const swap = async (plugin: SandboxedPlugin, text: string, tenantId: string): Promise<string> =>
  textOf(await plugin.call(callScope({ tenantId }), "swap", new TextEncoder().encode(text)));

it("wakes nothing of what a tenant left, for nobody", async () => {
  await using sandbox = await createSandbox({ poolSize: 0 });
  const plugin = await loadPlugin(sandbox, leaky("1"));
  await swap(plugin, "secret of alice", "alice");
  expect(await swap(plugin, "secret of alice", "alice")).toBe("1secret of alice");
  await plugin.sleep();
  expect(await Promise.all(["bob", "alice"].map((name) => swap(plugin, "x", name)))).toEqual([
    "1",
    "1",
  ]);
});

it("wakes each of two versions as what it was, however often and whoever wakes first", async () => {
  await using sandbox = await createSandbox({ poolSize: 0 });
  const [first, second] = await Promise.all([
    loadPlugin(sandbox, leaky("1")),
    loadPlugin(sandbox, leaky("2")),
  ]);
  for (const order of [
    [first, second],
    [second, first],
  ]) {
    await Promise.all(order.map((plugin) => plugin.sleep()));
    const versions = await Promise.all(order.map((plugin) => swap(plugin, "x", "alice")));
    expect(versions).toEqual(order.map((plugin) => (plugin === first ? "1" : "2")));
  }
});

it("lets a plugin fall asleep while another with the same module ends", async () => {
  await using sandbox = await createSandbox({ poolSize: 0 });
  for (let round = 0; round < 5; round++) {
    const [leaving, staying] = await Promise.all([
      loadPlugin(sandbox, leaky("1")),
      loadPlugin(sandbox, leaky("1")),
    ]);
    await leaving.sleep();
    await Promise.all([leaving.drain(), staying.sleep()]);
    expect(staying.status().state).toBe("sleeping");
    expect(await swap(staying, "x", "alice")).toBe("1");
    await staying.drain();
  }
});

it("wakes no other module in place of the stored one, and the plugin beside it as it was", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hibernation-"));
  const { TMPDIR } = process.env;
  process.env["TMPDIR"] = folder;
  try {
    await using sandbox = await createSandbox({ poolSize: 0 });
    const [first, second] = [
      await loadPlugin(sandbox, leaky("1")),
      await loadPlugin(sandbox, leaky("2")),
    ];
    await first.sleep();
    const stored = (): string[] =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    const [firstFile = ""] = stored();
    await second.sleep();
    const secondFile = stored().find((path) => path !== firstFile) ?? "";
    writeFileSync(firstFile, readFileSync(secondFile));
    const woken = await first.call(callScope(), "swap", new Uint8Array(0));
    expect(codeOf(woken)).toBe("SANDBOX_MODULE_CHANGED");
    expect(await swap(second, "x", "alice")).toBe("2");
  } finally {
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
    await rm(folder, { recursive: true, force: true });
  }
});
