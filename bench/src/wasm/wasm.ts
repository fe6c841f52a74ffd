/** @module `bench wasm`: the modules that read, meter and limit. */
import type { BenchReport } from "../report.ts";
import { flowControl } from "./flow-control.ts";
import { overhead } from "./fuel/overhead.ts";
import { instrumentGrowth, instrumentVsValidate } from "./fuel/speed.ts";
import { timeSpread } from "./fuel/time-spread.ts";
import { loadStall } from "./load-stall.ts";
import { readerVsWasmparser, reportVsValidate } from "./reading.ts";

/** Runs the bench. */
export async function wasm(): Promise<BenchReport> {
  const fuel = await overhead();
  const spread = await timeSpread();
  const growth = instrumentGrowth();
  const reader = readerVsWasmparser();
  const report = reportVsValidate();
  return {
    bench: "wasm",
    ratios: {
      ...fuel.ratios,
      fuel_time_spread: spread.ratio,
      instrument_vs_v8_validate: instrumentVsValidate(),
      instrument_growth: growth.ratio,
      reader_vs_wasmparser: reader.ratio,
      report_vs_v8_validate: report.ratio,
      ...(await flowControl()),
      ...(await loadStall()),
    },
    targets: {
      fuel_real_geomean: ["le", 1.08],
      fuel_real_worst: ["le", 1.2],
      fuel_numeric_geomean: ["le", 1.01],
      fuel_numeric_worst: ["le", 1.06],
      fuel_kernels_geomean: ["le", 1.06],
      fuel_kernels_worst: ["le", 1.25],
      fuel_liftoff_geomean: ["le", 1.15],
      size_worst: ["le", 1.45],
      fuel_time_spread: ["le", 60],
      instrument_vs_v8_validate: ["le", 30],
      instrument_growth: ["le", 1.2],
      reader_vs_wasmparser: ["ge", 2],
      report_vs_v8_validate: ["le", 8],
      load_stall_ms: ["le", 20],
      gcra_accept_vs_rate_limiter_flexible: ["ge", 4],
      gcra_reject_vs_rate_limiter_flexible: ["ge", 8],
      bulkhead_vs_p_limit: ["ge", 3],
    },
    notes: [
      "fuel_*: CPU time of the thread, metered over plain in alternating rounds; equal results are required",
      ...fuel.notes,
      spread.note,
      growth.note,
      reader.note,
      report.note,
      "10,000 keys; rate-limiter-flexible's memory limiter is awaited, ours answers at once",
      "64 slots, 10,000 tasks queued at once",
      "load_stall_ms: esbuild-wasm read, judged, metered and loaded by a runtime at the strictest level, audit log on disk; longest event-loop delay less that of an idle host, medians of nine",
    ],
  };
}
