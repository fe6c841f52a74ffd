/**
 * @module How long a host stands still while it loads a large module: esbuild, 14 MB as npm has it,
 * is read, judged, metered and loaded by a runtime, in a host that does nothing else. What is reported
 * is the longest delay of the event loop less that of a host which waits as long without loading.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { PluginRuntime } from "@glovebox/runtime";
import { buildPluginPackage } from "@glovebox/testkit";

import { median } from "../measure.ts";

const ROUNDS = 9;
const MIB = 1024 * 1024;

/** What Go's programs import; never called here, since nothing of esbuild is run. */
const GO_IMPORTS = [
  "runtime.scheduleTimeoutEvent",
  "runtime.clearTimeoutEvent",
  "runtime.resetMemoryDataView",
  "runtime.wasmWrite",
  "runtime.getRandomData",
  "runtime.nanotime1",
  "runtime.wasmExit",
  "runtime.walltime",
  ...[
    "finalizeRef",
    "stringVal",
    "valueGet",
    "valueSet",
    "valueIndex",
    "valueSetIndex",
    "valueLength",
    "valueCall",
    "valueNew",
    "valuePrepareString",
    "valueLoadString",
    "copyBytesToGo",
    "copyBytesToJS",
  ].map((name) => `syscall/js.${name}`),
];

const GO = `(module ${GO_IMPORTS.map((name) => `(func (export "${name}") (param i32))`).join("\n")})`;
const MAIN = `(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "run") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))`;

/** Longest event-loop delays, milliseconds: of loading beyond idling, and of each alone. */
export async function loadStall(): Promise<{
  readonly load_stall_ms: number;
  readonly load_stall_idle_ms: number;
  readonly load_14_mb_ms: number;
}> {
  const path = new URL(import.meta.resolve("esbuild-wasm/esbuild.wasm"));
  const wasm = [
    { name: "gojs", wasm: GO },
    { name: "esbuild", wasm: await readFile(path) },
    { name: "main", wasm: MAIN },
  ];
  await using plugin = await buildPluginPackage({ id: "large", wasm });
  const loading: number[] = [];
  const idling: number[] = [];
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const audit = await mkdtemp(join(tmpdir(), "glovebox-bench-"));
    // A runtime for each round: one that has the metered module already does less.
    const runtime = await PluginRuntime.open({
      audit: { directory: join(audit, "log") },
      security: { maxPluginSizeBytes: 64 * MIB },
      resources: { defaultMemoryLimitBytes: 1024 * MIB },
      validation: { requireSignatures: false },
    });
    try {
      const start = performance.now();
      loading.push(
        await longestDelay(async () => {
          const loaded = await runtime.load(plugin.path);
          if (!loaded.ok) throw new Error(`${loaded.error.code}: ${loaded.error.message}`);
        }),
      );
      const ms = performance.now() - start;
      took.push(ms);
      idling.push(await longestDelay(() => sleep(ms)));
    } finally {
      await runtime.close();
      await rm(audit, { recursive: true, force: true });
    }
  }
  const idle = median(idling);
  return {
    load_stall_ms: Math.max(0, median(loading) - idle),
    load_stall_idle_ms: idle,
    load_14_mb_ms: median(took),
  };
}

async function longestDelay(work: () => Promise<void>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  // One more turn, so that a delay at the very end is seen.
  await sleep(5);
  delay.disable();
  return delay.max / 1e6;
}
