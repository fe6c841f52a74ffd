/** @module A thread that holds one variant of a real module, and does its work when asked to. */
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";

import { metered } from "./metered.ts";
import { readPackage } from "./real/case.ts";
import { REAL_CASES } from "./real/index.ts";
import { swapModule } from "./swap.ts";
import { threadClock } from "./thread-clock.ts";

/** What the thread is given. */
export interface FuelThreadData {
  readonly name: string;
  readonly isMetered: boolean;
}

/** What it answers to a number of times: CPU milliseconds, and a digest of what came out. */
export interface FuelThreadAnswer {
  readonly ms: number;
  readonly digest: string;
}

const { name, isMetered } = workerData as FuelThreadData;
const real = REAL_CASES.find((candidate) => candidate.name === name);
if (real === undefined || parentPort === null) throw new Error(`no case ${name}`);
const port = parentPort;
const now = await threadClock();
if (isMetered) {
  const original = readPackage(real.file);
  swapModule(original, metered(original));
}
const work = await real.prepare();
port.on("message", (times: number) => {
  void (async () => {
    let result: unknown;
    const start = now();
    for (let left = times; left > 0; left--) result = await work();
    const ms = now() - start;
    const text = result instanceof Uint8Array ? result : JSON.stringify(result);
    const digest = createHash("sha256")
      .update(text ?? "")
      .digest("hex");
    port.postMessage({ ms, digest } satisfies FuelThreadAnswer);
  })();
});
port.postMessage({ ms: 0, digest: "" } satisfies FuelThreadAnswer);
