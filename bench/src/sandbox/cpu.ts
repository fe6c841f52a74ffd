/** @module How exact limits on CPU time are, and its accounting on a machine with too much to do. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";

import type { Sandbox } from "@glovebox/sandbox";
import { assembleWat, callScope } from "@glovebox/testkit";

import { median } from "../measure.ts";
import { openPlugin } from "./open-plugin.ts";

const LIMIT_MS = 50;
const TRIES = 100;
const REPETITIONS = 25;
const OVERSUBSCRIPTION = 3;

const PLUGIN = `(module (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 8))
  (func (export "spin") (param i32 i32) (result i32 i32) (loop $l (br $l)) (unreachable))
  (func (export "work") (param i32 i32) (result i32 i32) (local $left i32)
    (local.set $left (i32.const 30000000))
    (loop $more (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 0) (i32.const 1)))`;

/** CPU time beyond the limit when a spinning call is ended, milliseconds. */
export async function overshoot(sandbox: Sandbox): Promise<Record<string, number>> {
  const plugin = await openPlugin(sandbox, await assembleWat(PLUGIN), {
    limits: { cpuMs: LIMIT_MS },
  });
  const beyond: number[] = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const outcome = await plugin.call(callScope(), "spin", new Uint8Array(0));
    if (outcome.ok || outcome.error.code !== "SANDBOX_CPU_LIMIT") throw new Error("no CPU limit");
    beyond.push((outcome.usage.cpuMs ?? Number.NaN) - LIMIT_MS);
  }
  await plugin.kill("the bench is done");
  return {
    cpu_limit_overshoot_ms_p50: median(beyond),
    cpu_limit_overshoot_ms_max: Math.max(...beyond),
  };
}

/** Half the spread of the CPU time of the same work, over its median, while others want the cores. */
export async function accounting(sandbox: Sandbox): Promise<Record<string, number>> {
  const plugin = await openPlugin(sandbox, await assembleWat(PLUGIN));
  const work = async (): Promise<{ cpuMs: number; wallMs: number }> => {
    const outcome = await plugin.call(callScope(), "work", new Uint8Array(0));
    if (!outcome.ok) throw new Error(outcome.error.message);
    return { cpuMs: outcome.usage.cpuMs ?? Number.NaN, wallMs: outcome.usage.wallMs };
  };
  for (let warm = 0; warm < 5; warm++) await work();
  await using _load = await otherWork((OVERSUBSCRIPTION - 1) * availableParallelism() + 1);
  const cpuMs: number[] = [];
  const wallMs: number[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const used = await work();
    cpuMs.push(used.cpuMs);
    wallMs.push(used.wallMs);
  }
  await plugin.kill("the bench is done");
  return { cpu_accounting_error: spread(cpuMs), wall_accounting_error: spread(wallMs) };
}

function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values);
}

/** So many processes that spin until they are disposed of. */
async function otherWork(count: number): Promise<AsyncDisposable> {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ["-e", "process.stdout.write('x'); for (;;);"], {
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
  await Promise.all(children.map((child) => once(child.stdout as NodeJS.ReadableStream, "data")));
  const end = async (child: ChildProcess): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    [Symbol.asyncDispose]: async () => void (await Promise.all(children.map(end))),
  };
}
