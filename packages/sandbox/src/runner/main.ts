/**
 * @module The runner: the program that a plugin's process runs, built into the single file
 * dist/runner.cjs. It locks itself down, says hello, and then answers one frame after the other in
 * a loop that never returns to Node's event loop.
 *
 * Its arguments are those of runner-arguments.ts.
 *
 * It never exits by itself: when it cannot go on it blocks or dies, and the host ends it.
 */
import { PluginFailure } from "../abi/abi.ts";
import { MAX_HOST_CALL_BYTES } from "../limits.ts";
import { FRAME, HOST_RESULT } from "../protocol/frame-table.ts";
import { parseArguments } from "../protocol/runner-arguments.ts";
import { BlockingChannel } from "./blocking-channel.ts";
import { PluginHolder } from "./commands.ts";
import { classifyFailure } from "./failure.ts";
import { lockDown } from "./lock-down.ts";
import { warmUp } from "./warm-up.ts";

const SOCKET_DESCRIPTOR = 0;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const runnerArguments = parseArguments(process.argv.slice(2));
const { hello, limitData, violate } = lockDown(runnerArguments);

const channel = new BlockingChannel(SOCKET_DESCRIPTOR);
let currentCall = 0;
/** Whether a host call has no answer yet, also after an exception in the middle of it. */
let unanswered = false;
const plugin = new PluginHolder((kind, payload) => {
  if (payload.length > MAX_HOST_CALL_BYTES) {
    throw new PluginFailure(
      "SANDBOX_HOST_CALL_REFUSED",
      `a host call of ${payload.length} bytes, at most ${MAX_HOST_CALL_BYTES}`,
    );
  }
  // A plugin can leave our code too little stack to end what it began, and catch that: the answer
  // that is still to come must not be taken for another's.
  if (unanswered) process.abort();
  unanswered = true;
  channel.send(FRAME.HOST_CALL, kind, currentCall, payload);
  const answer = channel.receiveHostResult();
  unanswered = false;
  if (answer.argument === HOST_RESULT.OK) return answer.payload.slice();
  throw new PluginFailure("SANDBOX_HOST_CALL_REFUSED", decoder.decode(answer.payload));
}, limitData);

warmUp();
channel.send(FRAME.HELLO, 0, 0, encoder.encode(JSON.stringify(hello)));

try {
  for (;;) {
    const message = channel.receive();
    currentCall = message.callId;
    // Whatever a canary is told, it must not live to answer it.
    if (runnerArguments.role === "canary") violate();
    try {
      const { type, argument, payload } = plugin.run(message);
      if (unanswered) process.abort();
      if (type === FRAME.DONE) channel.sendWithNext(type, argument, currentCall, payload);
      else channel.send(type, argument, currentCall, payload, plugin.instructions);
    } catch (error) {
      if (unanswered) process.abort();
      const failure = classifyFailure(error);
      if (!failure.orderly) plugin.discardInstance();
      const report = encoder.encode(JSON.stringify(failure));
      channel.send(FRAME.FAILURE, 0, currentCall, report, plugin.instructions);
    }
  }
} catch {
  // The host is gone, or the socket is: there is nobody left to answer. A filter leaves no other end.
  process.abort();
}
