/**
 * @module The peer: the same module in a worker thread, called by message. The reply is cloned, or
 * transferred where the parent asks for it.
 */
import { parentPort, workerData } from "node:worker_threads";

interface EchoExports {
  readonly memory: WebAssembly.Memory;
  alloc(length: number): number;
  echo(at: number, length: number): [number, number];
}

const { bytes, transfer } = workerData as { bytes: Uint8Array; transfer: boolean };
const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
const plugin = instance.exports as unknown as EchoExports;

parentPort?.on("message", (input: Uint8Array) => {
  const at = plugin.alloc(input.length);
  new Uint8Array(plugin.memory.buffer, at, input.length).set(input);
  const [outputAt, length] = plugin.echo(at, input.length);
  if (transfer) {
    const output = new Uint8Array(plugin.memory.buffer, outputAt, length).slice();
    parentPort?.postMessage(output, [output.buffer]);
  } else {
    // A view of a part would clone the whole memory: the peer, too, copies what it sends.
    parentPort?.postMessage(new Uint8Array(plugin.memory.buffer, outputAt, length).slice());
  }
});
