/** @module Opens a sandbox with one plugin from WebAssembly text, for the tests of this package. */
import { parsePluginId } from "@glovebox/core/ids";
import type { CallOutcome, HostServices } from "@glovebox/core/ports";
import {
  type Abi,
  createSandbox,
  type PluginSpec,
  type RunnerLimits,
  type Sandbox,
  type SandboxDeps,
  type SandboxedPlugin,
} from "@glovebox/sandbox";
import { assembleWat, callScope, memoryHostServices } from "@glovebox/testkit";

const encoder = new TextEncoder();

/** How a test's plugin differs from a plain flat one. */
export interface OpenOptions {
  readonly abi?: Abi;
  readonly limits?: Partial<RunnerLimits>;
  readonly services?: HostServices;
  readonly spec?: Partial<PluginSpec>;
  readonly deps?: SandboxDeps;
  readonly poolSize?: number;
}

/** A sandbox with one plugin. */
export interface OpenPlugin extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly plugin: SandboxedPlugin;
  /** Calls with a scope of its own. */
  call(functionName: string, input?: string | Uint8Array, tenantId?: string): Promise<CallOutcome>;
}

/** Loads a plugin into a new sandbox; fails the test when that is refused. */
export async function openPlugin(
  source: string | Uint8Array,
  options: OpenOptions = {},
): Promise<OpenPlugin> {
  const sandbox = await createSandbox({ poolSize: options.poolSize ?? 0 }, options.deps);
  try {
    const plugin = await loadPlugin(sandbox, source, options);
    return {
      sandbox,
      plugin,
      call: (functionName, input = "", tenantId) =>
        plugin.call(
          callScope(tenantId === undefined ? {} : { tenantId }),
          functionName,
          bytesOf(input),
        ),
      [Symbol.asyncDispose]: () => sandbox.close(),
    };
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** Validates and starts a plugin in a sandbox. Throws an error with the refusal's code. */
export async function loadPlugin(
  sandbox: Sandbox,
  source: string | Uint8Array,
  options: OpenOptions = {},
): Promise<SandboxedPlugin> {
  const bytes = typeof source === "string" ? await assembleWat(source) : source;
  const id = parsePluginId("test-plugin");
  if (!id.allowed) throw new Error(id.reason);
  const reserved = await sandbox.reserve({ pluginId: id.value, limits: options.limits ?? {} });
  if (!reserved.allowed) throw refused(reserved);
  await using runner = reserved.value;
  const verdict = await runner.validate(bytes);
  if (!verdict.allowed) throw refused(verdict);
  const started = await runner.start({
    abi: options.abi ?? "flat",
    modules: [{ name: "main", bytes }],
    services: options.services ?? memoryHostServices(),
    ...options.spec,
  });
  if (!started.allowed) throw refused(started);
  return started.value;
}

/** The code of a failed call; fails the test when it succeeded. */
export function codeOf(outcome: CallOutcome): string {
  if (outcome.ok) throw new Error("the call succeeded");
  return outcome.error.code;
}

/** The output of a call as text; fails the test with the error's message when it failed. */
export function textOf(outcome: CallOutcome): string {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return new TextDecoder().decode(outcome.output);
}

function bytesOf(input: string | Uint8Array): Uint8Array {
  return typeof input === "string" ? encoder.encode(input) : input;
}

function refused({ code, reason }: { code: string; reason: string }): Error {
  return Object.assign(new Error(`${code}: ${reason}`), { code });
}
