/**
 * @module The runner: the program that a plugin's process runs, built into the single file
 * dist/runner.cjs. It locks itself down, says hello, and then serves its host.
 *
 * Its arguments are those of runner-arguments.ts.
 *
 * It never exits by itself: when it cannot go on it blocks or dies, and the host ends it.
 */
import { FRAME } from "../protocol/frame-table.ts";
import { parseArguments } from "../protocol/runner-arguments.ts";
import { BlockingChannel, overDescriptor } from "./blocking-channel.ts";
import { lockDown } from "./lock-down.ts";
import { serve } from "./serve.ts";
import { warmUp } from "./warm-up.ts";

const SOCKET_DESCRIPTOR = 0;

const runnerArguments = parseArguments(process.argv.slice(2));
const isCanary = runnerArguments.role === "canary";
const { hello, limitData, releaseFreeMemory, violate } = lockDown(runnerArguments);

const channel = new BlockingChannel(overDescriptor(SOCKET_DESCRIPTOR));
if (!isCanary) {
  warmUp();
  releaseFreeMemory();
}
channel.send(FRAME.HELLO, 0, 0, new TextEncoder().encode(JSON.stringify(hello)));

try {
  // Whatever a canary is told, it must not live to answer it.
  serve(channel, { limitData, beforeCommand: isCanary ? violate : () => undefined });
} catch {
  // The host is gone, or the socket is: there is nobody left to answer. A filter leaves no other end.
  process.abort();
}
