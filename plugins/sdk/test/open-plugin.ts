/**
 * @module Opens a plugin in a sandbox of its own, for the tests of the example plugins: they run
 * where they will run later, in a locked process, and not in the test's.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { JsonValue } from "@glovebox/core/json";
import type { CallOutcome } from "@glovebox/core/ports";
import { createSandbox } from "@glovebox/sandbox";
import {
  callScope,
  type HostServiceOverrides,
  type MemoryHostServices,
  memoryHostServices,
} from "@glovebox/testkit";

/** What to open. */
export interface OpenPluginOptions {
  /** The plugin's module. */
  readonly wasm: string;
  readonly abi: "flat" | "extism";
  /** What the host offers; everything else is refused. */
  readonly services?: HostServiceOverrides;
}

/** How a call ended: `answer` is the output as JSON, or the error. */
export type Answer =
  | { readonly ok: true; readonly answer: JsonValue }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** A plugin in its process. */
export interface OpenPlugin extends AsyncDisposable {
  readonly services: MemoryHostServices;
  call(functionName: string, input: Uint8Array): Promise<CallOutcome>;
  /** Calls with a JSON value, as the host does it, or with a text that stands for one. */
  ask(functionName: string, input: JsonValue, asText?: string): Promise<Answer>;
}

/** Opens a plugin; dispose of it after use. */
export async function openPlugin(options: OpenPluginOptions): Promise<OpenPlugin> {
  const services = memoryHostServices(options.services);
  const bytes = new Uint8Array(await readFile(options.wasm));
  const scope = callScope();
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(await createSandbox({ poolSize: 1 }));
  const reserved = await sandbox.reserve({ pluginId: scope.pluginId });
  if (!reserved.allowed) throw new Error(reserved.reason);
  const verdict = await reserved.value.validate(bytes);
  if (!verdict.allowed) throw new Error(verdict.reason);
  const started = await reserved.value.start({
    abi: options.abi,
    modules: [{ name: "main", bytes }],
    services,
  });
  if (!started.allowed) throw new Error(started.reason);
  const plugin = stack.use(started.value);
  const owned = stack.move();

  const call = (functionName: string, input: Uint8Array): Promise<CallOutcome> =>
    plugin.call(callScope(), functionName, input);
  return {
    services,
    call,
    async ask(functionName, input, asText = JSON.stringify(input)) {
      const outcome = await call(functionName, new TextEncoder().encode(asText));
      if (!outcome.ok) {
        return { ok: false, code: outcome.error.code, message: outcome.error.message };
      }
      const text = new TextDecoder("utf-8", { fatal: true }).decode(outcome.output);
      return { ok: true, answer: JSON.parse(text) as JsonValue };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a README's sample sends and what it says comes back. */
export interface ReadmeSample {
  readonly functionName: string;
  readonly input: JsonValue;
  readonly context: JsonValue;
  readonly output: JsonValue;
}

/** The `curl` samples of a plugin's README, each with the JSON block that follows it. */
export async function readmeSamples(folder: string): Promise<readonly ReadmeSample[]> {
  const text = await readFile(join(folder, "README.md"), "utf8");
  const sample = /functions\/(\w+) -H '[^']*' -d '([^']*)'[^]*?```json\n([^]*?)```/g;
  return Array.from(text.matchAll(sample), ([, functionName = "", body = "", output = ""]) => {
    const sent = JSON.parse(body) as { input: JsonValue; context?: JsonValue };
    return {
      functionName,
      input: sent.input,
      context: sent.context ?? {},
      output: JSON.parse(output) as JsonValue,
    };
  });
}
