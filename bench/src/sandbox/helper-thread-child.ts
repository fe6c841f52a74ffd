/**
 * @module The peer's process: a synchronous host call by the usual pattern. The main thread hands the
 * request to a helper thread and sleeps in `Atomics.wait`; the helper turns an event loop, speaks
 * with the host and wakes it. Each line of standard input asks for so many calls.
 */
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";

const ANSWER_AT = 4;
const ANSWER_BYTES = 4;
const shared = new SharedArrayBuffer(ANSWER_AT + ANSWER_BYTES);
const state = new Int32Array(shared, 0, 1);
const answer = new Uint8Array(shared, ANSWER_AT);
const helper = new Worker(new URL("./helper-thread.js", import.meta.url), { workerData: shared });

function hostCall(request: Uint8Array): Uint8Array {
  Atomics.store(state, 0, 0);
  helper.postMessage(request);
  Atomics.wait(state, 0, 0);
  return answer.slice();
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const count = Number(line);
  const request = Uint8Array.of(1, 2, 3, 4);
  const startMs = performance.now();
  for (let at = 0; at < count; at++) hostCall(request);
  process.stdout.write(`${(performance.now() - startMs) / count}\n`);
});
