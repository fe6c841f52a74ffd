/** @module What plugins cost that have nothing to do, and how soon one is awake. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import type { PluginId } from "@glovebox/core/ids";
import { createSandbox, type Sandbox, type SandboxedPlugin } from "@glovebox/sandbox";
import { assembleWat, callScope, memoryHostServices } from "@glovebox/testkit";

import { median } from "../measure.ts";
import { openPlugin } from "./open-plugin.ts";

const PLUGINS = 10_000;
const AWAKE = 50;
const WAKES = 60;
const MODULE_BYTES = 100_000;
const KIB = 1024;
const INPUT = Uint8Array.of(1);

/** Host memory per registered plugin, of which fifty are awake, kilobytes of 2^10 bytes. */
export async function memoryPerSleeper(): Promise<Record<string, number>> {
  const services = memoryHostServices();
  await using sandbox = await createSandbox({ poolSize: 2 });
  const bytes = await assembleWat(echo(0));
  const collect = garbageCollector();
  collect();
  const before = process.memoryUsage.rss();
  const plugins: SandboxedPlugin[] = [];
  for (let at = 0; at < PLUGINS; at++) {
    const registered = await sandbox.register({
      pluginId: `plugin-${at}` as PluginId,
      abi: "flat",
      modules: [{ name: "main", bytes: distinct(bytes, at) }],
      services,
    });
    if (!registered.allowed) throw new Error(registered.reason);
    plugins.push(registered.value);
  }
  for (const plugin of plugins.slice(0, AWAKE)) await plugin.call(callScope(), "echo", INPUT);
  collect();
  const grown = process.memoryUsage.rss() - before;
  return { kb_per_sleeping_plugin: grown / PLUGINS / KIB };
}

/** Time of the first call of a sleeping plugin with a module of 100 KB, its process from the pool. */
export async function wake(sandbox: Sandbox, poolSize: number): Promise<Record<string, number>> {
  const plugin = await openPlugin(sandbox, await assembleWat(echo(MODULE_BYTES)));
  const samples: number[] = [];
  for (let turn = 0; turn < WAKES; turn++) {
    await plugin.sleep();
    while (sandbox.status().runners.warm < poolSize) await pause();
    await pause();
    const startMs = performance.now();
    const outcome = await plugin.call(callScope(), "echo", INPUT);
    if (!outcome.ok) throw new Error(outcome.error.message);
    samples.push(performance.now() - startMs);
  }
  await plugin.kill("the bench is done");
  return { wake_ms_p50: median(samples) };
}

/** An echo with code of about so many bytes beside it. */
function echo(codeBytes: number): string {
  const line = "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 31)) (local.get 1)))";
  const lines = Array.from({ length: 100 }, () => line).join("");
  const functions = Array.from(
    { length: Math.ceil(codeBytes / 1_000) },
    () => `(func (param i32 i32) (result i32) ${lines} (local.get 0))`,
  );
  return `(module (memory (export "memory") 2)
    (func (export "alloc") (param i32) (result i32) (i32.const 1024))
    (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1))
    ${functions.join("\n")})`;
}

/** The same module with a custom section that makes its digest another. */
function distinct(bytes: Uint8Array, number: number): Uint8Array {
  const name = new TextEncoder().encode(String(number).padStart(8, "0"));
  return Uint8Array.from([...bytes, 0, name.length + 1, name.length, ...name]);
}

function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
