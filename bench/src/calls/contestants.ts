/** @module Who is compared in bench `calls`, all behind one shape: a call with bytes in and out. */
import { Worker } from "node:worker_threads";

import createExtism1 from "@extism/extism";
import createExtism2 from "@extism/extism-next";
import type { PluginId } from "@glovebox/core/ids";
import type { Abi, Sandbox, SandboxedPlugin } from "@glovebox/sandbox";
import { callScope, memoryHostServices } from "@glovebox/testkit";

import { callEcho, instantiateEcho } from "./echo-module.ts";

/** Something that echoes bytes. */
export interface Echo extends AsyncDisposable {
  call(input: Uint8Array): Promise<Uint8Array>;
}

/** Our sandbox: CPU accounting on, output as owned memory. */
export async function sandboxEcho(
  sandbox: Sandbox,
  abi: Abi,
  bytes: Uint8Array,
): Promise<Echo & { plugin: SandboxedPlugin }> {
  const reserved = await sandbox.reserve({ pluginId: "echo" as PluginId });
  if (!reserved.allowed) throw new Error(reserved.reason);
  const verdict = await reserved.value.validate(bytes);
  if (!verdict.allowed) throw new Error(verdict.reason);
  const started = await reserved.value.start({
    abi,
    modules: [{ name: "main", bytes }],
    services: memoryHostServices(),
  });
  if (!started.allowed) throw new Error(started.reason);
  const plugin = started.value;
  const scope = callScope();
  return {
    plugin,
    async call(input) {
      const outcome = await plugin.call(scope, "echo", input);
      if (!outcome.ok) throw new Error(outcome.error.message);
      return outcome.output;
    },
    async [Symbol.asyncDispose]() {
      await plugin.kill("the bench is done");
    },
  };
}

/** The same module in a worker thread. */
export function workerEcho(bytes: Uint8Array, transfer = false): Echo {
  const worker = new Worker(new URL("./worker-peer.js", import.meta.url), {
    workerData: { bytes, transfer },
  });
  const waiting: ((output: Uint8Array) => void)[] = [];
  worker.on("message", (output: Uint8Array) => waiting.shift()?.(output));
  return {
    call(input) {
      return new Promise((resolve) => {
        waiting.push(resolve);
        worker.postMessage(input);
      });
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

/** The same module in this thread. */
export function inProcessEcho(bytes: Uint8Array): Echo {
  const plugin = instantiateEcho(bytes);
  return {
    async call(input) {
      return callEcho(plugin, input);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The two published lines of Extism's JavaScript SDK, in their worker, reset after each call. */
export async function extismEcho(version: 1 | 2, bytes: Uint8Array): Promise<Echo> {
  const create = (version === 1 ? createExtism1 : createExtism2) as unknown as (
    manifest: { wasm: { data: Uint8Array }[] },
    options: { useWasi: boolean; runInWorker: boolean },
  ) => Promise<ExtismPlugin>;
  const plugin = await create({ wasm: [{ data: bytes }] }, { useWasi: false, runInWorker: true });
  return {
    async call(input) {
      const output = await plugin.call("echo", input);
      if (output === null) throw new Error("no output");
      const owned = output.bytes();
      await plugin.reset();
      return owned;
    },
    [Symbol.asyncDispose]: () => plugin.close(),
  };
}

interface ExtismPlugin {
  call(name: string, input: Uint8Array): Promise<{ bytes(): Uint8Array } | null>;
  reset(): Promise<unknown>;
  close(): Promise<void>;
}
