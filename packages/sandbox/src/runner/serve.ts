/**
 * @module The loop of a runner: one frame after the other is carried out and answered, on a channel
 * that blocks. It never returns to Node's event loop.
 */
import { PluginFailure } from "../abi/abi.ts";
import { MAX_HOST_CALL_BYTES } from "../limits.ts";
import { FRAME, HOST_RESULT } from "../protocol/frame-table.ts";
import type { BlockingChannel } from "./blocking-channel.ts";
import { PluginHolder } from "./commands.ts";
import { classifyFailure } from "./failure.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What serving takes from its process. */
export interface Serving {
  /** Limits the private data that may be mapped in all, bytes. */
  readonly limitData: (bytes: number) => void;
  /** Runs before each command. */
  readonly beforeCommand: () => void;
}

/**
 * Serves until there is nobody left to answer.
 *
 * @throws {@link HostGone}, or what the descriptor's calls threw
 */
export function serve(channel: BlockingChannel, { limitData, beforeCommand }: Serving): never {
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
  for (;;) {
    const message = channel.receive();
    currentCall = message.callId;
    beforeCommand();
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
}
