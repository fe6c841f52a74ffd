/**
 * @module Bench `calls`: what a call, a cold start and a loaded plugin cost in the sandbox, next to
 * worker threads and Extism's SDK in the same run.
 */
import { readFileSync } from "node:fs";

import { createSandbox, type Sandbox } from "@glovebox/sandbox";
import { assembleWat } from "@glovebox/testkit";

import { interleave, median, medianLatency, pipelinedThroughput, ratio } from "../measure.ts";
import type { BenchReport } from "../report.ts";
import { type Echo, extismEcho, inProcessEcho, sandboxEcho, workerEcho } from "./contestants.ts";
import { runtimeRatios } from "./runtime-calls.ts";

const KB = 1_000;
const MB = 1_000_000;
const POOL_SIZE = 4;
const LOADED_RUNNERS = 50;
const PIPELINE_DEPTH = 64;

const TARGETS: BenchReport["targets"] = {
  worker_p50_100B: ["le", 1.1],
  worker_p50_10KB: ["le", 0.65],
  worker_p50_1MB: ["le", 0.8],
  worker_pipelined_throughput: ["ge", 1.8],
  cold_start_vs_worker: ["le", 0.067],
  pss_mb_per_plugin: ["le", 10],
  extism1_worker_throughput_11B: ["ge", 5],
  extism2_worker_throughput_11B: ["ge", 5],
  extism2_worker_p50_100KB: ["le", 0.15],
};

/** Runs the whole bench. */
export async function calls(): Promise<BenchReport> {
  const flat = await assembleWat(source("echo-flat"));
  const extism = await assembleWat(source("echo-extism"));
  await using sandbox = await createSandbox({ poolSize: POOL_SIZE });
  const ratios: Record<string, number> = {
    ...(await latencies(sandbox, flat)),
    ...(await coldStart(sandbox, flat)),
    ...(await againstExtism(sandbox, extism)),
    ...(await memoryPerPlugin(sandbox, flat)),
    ...(await runtimeRatios(flat)),
  };
  const { isolation } = sandbox.status();
  return {
    bench: "calls",
    ratios,
    targets: TARGETS,
    notes: [
      `isolation level ${isolation}; CPU accounting and limits on; output is owned memory on both sides`,
      "worker_*: time over (throughput: calls per second over) a worker_threads peer with the same module, replies cloned",
      "extism*: one caller in sequence, reset() after each call on their side",
      "runtime_*: executePluginFunction with limits and audit on, by durability mode, over the same worker_threads peer",
    ],
  };
}

async function latencies(sandbox: Sandbox, bytes: Uint8Array): Promise<Record<string, number>> {
  await using ours = await sandboxEcho(sandbox, "flat", bytes);
  await using worker = workerEcho(bytes);
  await using transferring = workerEcho(bytes, true);
  await using inProcess = inProcessEcho(bytes);
  const compare = async (
    size: number,
    count: number,
    rounds: number,
    peer: Echo = worker,
  ): Promise<number> => {
    const input = new Uint8Array(size).fill(7);
    const contestant = (name: string, echo: Echo) => ({
      name,
      measure: () => medianLatency(count, () => echo.call(input)),
    });
    await contestant("warm-up", ours).measure();
    await contestant("warm-up", peer).measure();
    const figures = await interleave(rounds, [contestant("ours", ours), contestant("peer", peer)]);
    return ratio(figures["ours"] ?? [], figures["peer"] ?? []);
  };
  const input = new Uint8Array(100).fill(7);
  const pipelined = (name: string, echo: Echo) => ({
    name,
    measure: () => pipelinedThroughput(20_000, PIPELINE_DEPTH, () => echo.call(input)),
  });
  const result = {
    worker_p50_100B: await compare(100, 4_000, 15),
    worker_p50_10KB: await compare(10 * KB, 2_000, 15),
    worker_p50_1MB: await compare(MB, 150, 15),
    worker_transfer_p50_1MB: await compare(MB, 150, 9, transferring),
    inprocess_p50_100B: await compare(100, 4_000, 9, inProcess),
  };
  const throughput = await interleave(15, [pipelined("ours", ours), pipelined("peer", worker)]);
  return {
    ...result,
    worker_pipelined_throughput: ratio(throughput["ours"] ?? [], throughput["peer"] ?? []),
  };
}

/** Load and first call on a full pool, over a new Worker and its first call. */
export async function coldStart(
  sandbox: Sandbox,
  bytes: Uint8Array,
): Promise<{ cold_start_vs_worker: number; cold_start_ms: number }> {
  const input = new Uint8Array(100).fill(7);
  const once = async (open: () => Promise<Echo>): Promise<number> => {
    const start = performance.now();
    const echo = await open();
    await echo.call(input);
    const took = performance.now() - start;
    await echo[Symbol.asyncDispose]();
    await poolIsFull(sandbox);
    return took;
  };
  const figures = await interleave(31, [
    { name: "ours", measure: () => once(() => sandboxEcho(sandbox, "flat", bytes)) },
    { name: "peer", measure: () => once(async () => workerEcho(bytes)) },
  ]);
  return {
    cold_start_vs_worker: ratio(figures["ours"] ?? [], figures["peer"] ?? []),
    cold_start_ms: median(figures["ours"] ?? []),
  };
}

async function poolIsFull(sandbox: Sandbox): Promise<void> {
  while (sandbox.status().runners.warm < POOL_SIZE)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 5));
}

async function againstExtism(sandbox: Sandbox, bytes: Uint8Array): Promise<Record<string, number>> {
  await using ours = await sandboxEcho(sandbox, "extism", bytes);
  await using extism1 = await extismEcho(1, bytes);
  await using extism2 = await extismEcho(2, bytes);
  const small = new TextEncoder().encode("hello world");
  const large = new Uint8Array(100 * KB).fill(7);
  const sequence = (name: string, echo: Echo) => ({
    name,
    measure: () => pipelinedThroughput(1_500, 1, () => echo.call(small)),
  });
  await Promise.all([ours, extism1, extism2].map((echo) => sequence("warm-up", echo).measure()));
  const throughput = await interleave(9, [
    sequence("ours", ours),
    sequence("one", extism1),
    sequence("two", extism2),
  ]);
  const latency = await interleave(7, [
    { name: "ours", measure: () => medianLatency(200, () => ours.call(large)) },
    { name: "two", measure: () => medianLatency(20, () => extism2.call(large)) },
  ]);
  return {
    extism1_worker_throughput_11B: ratio(throughput["ours"] ?? [], throughput["one"] ?? []),
    extism2_worker_throughput_11B: ratio(throughput["ours"] ?? [], throughput["two"] ?? []),
    extism2_worker_p50_100KB: ratio(latency["ours"] ?? [], latency["two"] ?? []),
  };
}

/** Mean proportional set size of many loaded runners, megabytes of 2^20 bytes. */
export async function memoryPerPlugin(
  sandbox: Sandbox,
  bytes: Uint8Array,
): Promise<Record<string, number>> {
  await using loaded = new AsyncDisposableStack();
  const pids: number[] = [];
  for (let at = 0; at < LOADED_RUNNERS; at++) {
    const echo = loaded.use(await sandboxEcho(sandbox, "flat", bytes));
    await echo.call(Uint8Array.of(1));
    pids.push(...echo.plugin.status().pids);
  }
  const kib = pids.map((pid) =>
    Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]),
  );
  return { pss_mb_per_plugin: kib.reduce((sum, value) => sum + value, 0) / kib.length / 1024 };
}

/** The text of one of this bench's plugins. */
export function source(name: string): string {
  return readFileSync(new URL(`../src/plugins/${name}.wat`, import.meta.url), "utf8");
}
