/** @module A plugin in a sandbox, or an error with the reason. */
import type { PluginId } from "@glovebox/core/ids";
import type { PluginSpec, RunnerLimits, Sandbox, SandboxedPlugin } from "@glovebox/sandbox";
import { memoryHostServices } from "@glovebox/testkit";

/** How it differs from a flat plugin with the default limits. */
export interface OpenPluginOptions {
  readonly limits?: Partial<RunnerLimits>;
  readonly spec?: Partial<PluginSpec>;
}

/** Reserves a runner and starts the module in it. */
export async function openPlugin(
  sandbox: Sandbox,
  bytes: Uint8Array,
  { limits = {}, spec = {} }: OpenPluginOptions = {},
): Promise<SandboxedPlugin> {
  const reserved = await sandbox.reserve({ pluginId: "bench" as PluginId, limits });
  if (!reserved.allowed) throw new Error(reserved.reason);
  const started = await reserved.value.start({
    abi: "flat",
    modules: [{ name: "main", bytes }],
    services: memoryHostServices(),
    ...spec,
  });
  if (!started.allowed) throw new Error(started.reason);
  return started.value;
}
