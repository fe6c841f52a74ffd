/**
 * @module A process of its own for one real module: two threads hold the plain and the metered
 * variant and take turns, each measured by its own CPU time. Prints the ratio as JSON.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { median } from "../../measure.ts";
import type { FuelThreadAnswer, FuelThreadData } from "./fuel-thread.ts";

const ROUNDS = 11;
/** CPU milliseconds of one turn, about. */
const TURN_MS = 25;
const WARM_UP_MS = 500;

async function ask(worker: Worker, times: number): Promise<FuelThreadAnswer> {
  worker.postMessage(times);
  const [answer] = (await once(worker, "message")) as [FuelThreadAnswer];
  return answer;
}

const [name = ""] = process.argv.slice(2);
const threads: Worker[] = [];
for (const isMetered of [false, true]) {
  const workerData: FuelThreadData = { name, isMetered };
  const worker = new Worker(new URL("fuel-thread.js", import.meta.url), { workerData });
  await once(worker, "message");
  threads.push(worker);
}
const [plain, instrumented] = threads as [Worker, Worker];
let perTurn = 1;
for (const worker of threads) {
  let spent = 0;
  for (let times = 1; spent < WARM_UP_MS; times *= 2) {
    const { ms } = await ask(worker, times);
    spent += ms;
    if (worker === plain) perTurn = Math.max(1, Math.round((TURN_MS * times) / ms));
  }
}
const ratios: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const order = round % 2 === 0 ? [plain, instrumented] : [instrumented, plain];
  const answers = new Map<Worker, FuelThreadAnswer>();
  for (const worker of order) answers.set(worker, await ask(worker, perTurn));
  const [ours, theirs] = [answers.get(instrumented), answers.get(plain)];
  if (ours === undefined || ours.digest !== theirs?.digest)
    throw new Error(`${name}: metered, it answers something else`);
  ratios.push(ours.ms / theirs.ms);
}
process.stdout.write(JSON.stringify({ ratio: median(ratios) }));
process.exit(0);
