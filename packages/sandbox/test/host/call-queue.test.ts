import { describe, expect, it } from "vitest";

import { CallQueue } from "../../src/host/call-queue.ts";
import type { Exchange } from "../../src/host/exchange.ts";
import { MAX_QUEUED_CALLS, MAX_QUEUED_INPUT_BYTES } from "../../src/limits.ts";
import { FRAME } from "../../src/protocol/frame-table.ts";

/** A command with an input of this size. */
function commandOf(bytes: number): Exchange {
  return {
    type: FRAME.CALL,
    argument: 0,
    payload: new Uint8Array(bytes),
    limits: { cpuMs: 1, wallMs: 1, hostCalls: 0, answerBytes: 0 },
    succeed: () => undefined,
    fail: () => undefined,
  };
}

describe("CallQueue", () => {
  it("takes one command of any size, and none beside it", () => {
    const queue = new CallQueue();
    const large = commandOf(MAX_QUEUED_INPUT_BYTES + 1);
    expect(queue.refusalFor(large)).toBeUndefined();
    queue.push(large);
    expect(queue.refusalFor(commandOf(0))?.code).toBe("SANDBOX_QUEUE_FULL");
  });

  it("takes a module that is larger than what callers may leave, behind another", () => {
    const queue = new CallQueue();
    queue.push({ ...commandOf(1_568), type: FRAME.LOAD });
    const module = { ...commandOf(MAX_QUEUED_INPUT_BYTES + 1), type: FRAME.LOAD };
    expect(queue.refusalFor(module)).toBeUndefined();
    expect(queue.refusalFor({ ...module, type: FRAME.CALL })?.code).toBe("SANDBOX_QUEUE_FULL");
  });

  it("takes commands up to its number and no further", () => {
    const queue = new CallQueue();
    for (let at = 0; at < MAX_QUEUED_CALLS; at++) queue.push(commandOf(0));
    expect(queue.refusalFor(commandOf(0))?.code).toBe("SANDBOX_QUEUE_FULL");
  });

  it.each([
    ["was answered", (queue: CallQueue) => queue.shift()],
    ["was aborted", (queue: CallQueue) => queue.running && queue.remove(queue.running)],
    ["ended with its runner", (queue: CallQueue) => queue.takeAll()],
  ])("has room again for the input of a command that %s", (_name, take) => {
    const queue = new CallQueue();
    queue.push(commandOf(MAX_QUEUED_INPUT_BYTES));
    take(queue);
    queue.push(commandOf(1));
    expect(queue.refusalFor(commandOf(MAX_QUEUED_INPUT_BYTES - 1))).toBeUndefined();
  });

  it("never gives two commands the same number", () => {
    const queue = new CallQueue();
    const first = queue.push(commandOf(0)).callId;
    queue.shift();
    expect(queue.push(commandOf(0)).callId).not.toBe(first);
  });
});
