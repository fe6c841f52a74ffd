/** @module What the whole runtime makes of a call: limits, audit, monitoring, by durability mode. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PluginRuntime } from "@glovebox/runtime";
import { buildPluginPackage } from "@glovebox/testkit";

import { interleave, medianLatency, ratio } from "../measure.ts";
import { type Echo, workerEcho } from "./contestants.ts";

const DURABILITIES = ["effect", "return", "async"] as const;
const INPUT = new Uint8Array(100).fill(7);
const ROUNDS = 7;
const CALLS = 300;

/** `executePluginFunction` over a call of the same module in a worker thread. */
export async function runtimeRatios(bytes: Uint8Array): Promise<Record<string, number>> {
  await using open = new AsyncDisposableStack();
  const worker = open.use(workerEcho(bytes));
  const ratios: Record<string, number> = {};
  for (const durability of DURABILITIES) {
    await using ours = await runtimeEcho(bytes, durability);
    const contestant = (name: string, echo: Echo) => ({
      name,
      measure: () => medianLatency(CALLS, () => echo.call(INPUT)),
    });
    await contestant("warm-up", ours).measure();
    const figures = await interleave(ROUNDS, [
      contestant("ours", ours),
      contestant("peer", worker),
    ]);
    ratios[`runtime_p50_100B_${durability}`] = ratio(figures["ours"] ?? [], figures["peer"] ?? []);
  }
  return ratios;
}

async function runtimeEcho(
  bytes: Uint8Array,
  auditDurability: (typeof DURABILITIES)[number],
): Promise<Echo> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "glovebox-bench-")));
  const runtime = await PluginRuntime.open({
    audit: { directory, auditDurability },
    validation: { requireSignatures: false },
  });
  await using plugin = await buildPluginPackage({ id: "echo", abi: "flat", wasm: bytes });
  const loaded = await runtime.load(plugin.path);
  if (!loaded.ok) throw new Error(`${loaded.error.code}: ${loaded.error.message}`);
  return {
    async call(input) {
      const outcome = await runtime.executePluginFunction("echo", "echo", {}, input);
      if (!outcome.ok) throw new Error(outcome.error.message);
      return outcome.output;
    },
    async [Symbol.asyncDispose]() {
      await runtime.close();
      await rm(directory, { recursive: true });
    },
  };
}
