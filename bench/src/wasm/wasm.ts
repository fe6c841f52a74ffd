/** @module `bench wasm`: the modules that read, meter and limit. */
import type { BenchReport } from "../report.ts";
import { flowControl } from "./flow-control.ts";

/** Runs the bench. */
export async function wasm(): Promise<BenchReport> {
  return {
    bench: "wasm",
    ratios: await flowControl(),
    targets: {
      gcra_accept_vs_rate_limiter_flexible: ["ge", 4],
      gcra_reject_vs_rate_limiter_flexible: ["ge", 8],
      bulkhead_vs_p_limit: ["ge", 3],
    },
    notes: [
      "10,000 keys; rate-limiter-flexible's memory limiter is awaited, ours answers at once",
      "64 slots, 10,000 tasks queued at once",
    ],
  };
}
