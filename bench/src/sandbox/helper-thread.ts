/** @module The helper thread of the peer: carries one request to the host and its answer back. */
import { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const HOST_DESCRIPTOR = 3;
const ANSWER_AT = 4;
const shared = workerData as SharedArrayBuffer;
const state = new Int32Array(shared, 0, 1);
const answer = new Uint8Array(shared, ANSWER_AT);
const socket = new Socket({ fd: HOST_DESCRIPTOR });

socket.on("data", (bytes: Uint8Array) => {
  answer.set(bytes.subarray(0, answer.length));
  Atomics.store(state, 0, 1);
  Atomics.notify(state, 0);
});
parentPort?.on("message", (request: Uint8Array) => socket.write(request));
