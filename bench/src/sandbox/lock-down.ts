/** @module What locking a runner down costs, and proving that it is locked. */
import type { PluginId } from "@glovebox/core/ids";
import { createSandbox } from "@glovebox/sandbox";

import { median } from "../measure.ts";

const BOOTS = 25;
const STARTS = 9;

/** Time of a runner's lock-down as it says itself, and of the canaries at a sandbox's start. */
export async function lockDown(): Promise<Record<string, number>> {
  const lockDowns: number[] = [];
  const starts: number[] = [];
  await using sandbox = await createSandbox({ poolSize: 0 });
  for (let boot = 0; boot < BOOTS; boot++) {
    const reserved = await sandbox.reserve({ pluginId: "bench" as PluginId });
    if (!reserved.allowed) throw new Error(reserved.reason);
    lockDowns.push(sandbox.status().lockDownMs);
    await reserved.value[Symbol.asyncDispose]();
  }
  for (let start = 0; start < STARTS; start++) {
    const startMs = performance.now();
    const open = await createSandbox({ poolSize: 0 });
    starts.push(performance.now() - startMs);
    await open.close();
  }
  return { lockdown_ms_p50: median(lockDowns), canary_ms_p50: median(starts) };
}
