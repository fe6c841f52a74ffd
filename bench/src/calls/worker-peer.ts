/**
 * @module The peer: the same module in a worker thread, called by message. The reply is cloned, or
 * transferred where the parent asks for it.
 */
import { parentPort, workerData } from "node:worker_threads";

import { callEcho, instantiateEcho } from "./echo-module.ts";

const { bytes, transfer } = workerData as { bytes: Uint8Array; transfer: boolean };
const plugin = instantiateEcho(bytes);

parentPort?.on("message", (input: Uint8Array) => {
  const output = callEcho(plugin, input);
  parentPort?.postMessage(output, transfer ? [output.buffer] : []);
});
