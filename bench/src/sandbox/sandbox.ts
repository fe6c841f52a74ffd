/**
 * @module Bench `sandbox`: what limits, accounting, host calls, sleeping and waking cost, and how
 * exact they are.
 */
import { createSandbox } from "@glovebox/sandbox";
import { assembleWat } from "@glovebox/testkit";

import { coldStart, memoryPerPlugin, source } from "../calls/calls.ts";
import type { BenchReport } from "../report.ts";
import { accounting, overshoot } from "./cpu.ts";
import { hostCallRatios } from "./host-calls.ts";
import { lockDown } from "./lock-down.ts";
import { orphans } from "./orphans.ts";
import { memoryPerSleeper, wake } from "./sleeping.ts";

const POOL_SIZE = 4;

const TARGETS: BenchReport["targets"] = {
  host_call_vs_helper_thread: ["le", 0.4],
  cpu_limit_overshoot_ms_p50: ["le", 1],
  cpu_limit_overshoot_ms_max: ["le", 5],
  cpu_accounting_error: ["le", 0.05],
  orphans_after_10ms: ["le", 0],
  orphans_running_10ms_after_host: ["le", 0],
  kb_per_sleeping_plugin: ["le", 20],
  wake_ms_p50: ["le", 2],
  pss_mb_per_plugin: ["le", 10],
  lockdown_ms_p50: ["le", 4],
  canary_ms_p50: ["le", 150],
  handout_vs_worker_start: ["le", 0.067],
};

/** Runs the whole bench. */
export async function sandbox(): Promise<BenchReport> {
  const flat = await assembleWat(source("echo-flat"));
  // First, while this process is small.
  const sleeping = await memoryPerSleeper();
  await using open = await createSandbox({ poolSize: POOL_SIZE, maxRunners: 100 });
  const start = await coldStart(open, flat);
  const ratios = {
    ...(await hostCallRatios(open)),
    ...(await overshoot(open)),
    ...(await accounting(open)),
    ...(await orphans()),
    ...sleeping,
    ...(await wake(open, POOL_SIZE)),
    ...(await memoryPerPlugin(open, flat)),
    ...(await lockDown()),
    handout_vs_worker_start: start.cold_start_vs_worker,
  };
  return {
    bench: "sandbox",
    ratios,
    targets: TARGETS,
    notes: [
      `isolation level ${open.status().isolation}; limits and accounting on`,
      "host_call: mean of 500 calls with an integer in and out, decided and counted, median of the rounds; the peer only echoes four bytes",
      "*_accounting_error: half the spread of 25 runs of the same work over their median, three busy processes per core",
      "orphans_after_10ms: not cleared away so long after the SIGKILL to their host, whose own end is in it; orphans_running: could still run code so long after it could not",
      "kb_per_sleeping_plugin: growth of the host's resident memory by 10,000 registered plugins, of which 50 are awake; their modules lie in the temporary folder",
      "lockdown: as the runner measures it, one boot after the other; canary: createSandbox without a pool",
      "handout: reserve, validate, start and first call on a warm runner, over a new Worker and its first reply",
    ],
  };
}
