/**
 * @module Random frames from a process that was taken over, sent in random pieces in answer to a call.
 * Whatever they are, the call settles with a code, and an output is one that was sent for this call.
 */
import type { CallOutcome } from "@glovebox/core/ports";
import fc from "fast-check";

import { MAX_FRAME_PAYLOAD_BYTES } from "../../src/limits.ts";
import {
  FRAME,
  HEADER_BYTES,
  HOST_CALL,
  HOST_RESULT,
  PROTOCOL_VERSION,
} from "../../src/protocol/frame-table.ts";

/** One frame; `idDelta` is added to the id of the running call, a `length` that is given may lie. */
export interface HostileFrame {
  readonly type: number;
  readonly idDelta: number;
  readonly argument: number;
  readonly payload: string;
  /** Bytes that follow the payload's own: the script itself stays small. */
  readonly fill: number;
  readonly length?: number;
  readonly version?: number;
}

/** What is sent: frames, in pieces of so many bytes. */
export interface Conversation {
  readonly frames: readonly HostileFrame[];
  readonly pieceBytes: number;
}

const mostly = <T>(usual: T, ...others: readonly fc.Arbitrary<T>[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 4 * Math.max(1, others.length), arbitrary: fc.constant(usual) },
    ...others.map((arbitrary) => ({ weight: 1, arbitrary })),
  );

const part = (text: string): string => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(text));
  return length.toString("latin1") + text;
};
const parts = fc
  .array(fc.string({ maxLength: 20 }), { maxLength: 4 })
  .map((texts) => texts.map(part).join(""));
const failure = fc
  .record({
    code: fc.constantFrom("SANDBOX_TRAP", "SANDBOX_PLUGIN_ERROR", "SANDBOX_CLOSED", "constructor"),
    message: fc.string({ maxLength: 50 }),
  })
  .map((content) => JSON.stringify(content));
const payload = fc.oneof(fc.string({ maxLength: 300 }), parts, failure, fc.constant(""));

const frame: fc.Arbitrary<HostileFrame> = fc.record(
  {
    type: fc.oneof(
      { weight: 3, arbitrary: fc.constant(FRAME.REPLY as number) },
      { weight: 3, arbitrary: fc.constant(FRAME.CHUNK as number) },
      { weight: 3, arbitrary: fc.constant(FRAME.HOST_CALL as number) },
      { weight: 2, arbitrary: fc.constantFrom<number[]>(...Object.values(FRAME)) },
      { weight: 1, arbitrary: fc.nat({ max: 255 }) },
    ),
    idDelta: mostly(0, fc.integer({ min: -3, max: 3 })),
    argument: fc.oneof(
      fc.constantFrom<number[]>(...Object.values(HOST_CALL), ...Object.values(HOST_RESULT)),
      fc.nat({ max: 0xffff }),
    ),
    payload,
    fill: mostly(0, fc.nat({ max: 200_000 })),
    length: mostly<number | undefined>(
      undefined,
      fc.nat({ max: 400 }),
      fc.constantFrom(MAX_FRAME_PAYLOAD_BYTES, MAX_FRAME_PAYLOAD_BYTES + 1, 0xffffffff),
    ) as fc.Arbitrary<number>,
    version: mostly(PROTOCOL_VERSION, fc.nat({ max: 255 })),
  },
  { requiredKeys: ["type", "idDelta", "argument", "payload", "fill", "version"] },
);

/** Conversations to try. */
export const conversation: fc.Arbitrary<Conversation> = fc.record({
  frames: fc.array(frame, { maxLength: 6 }),
  pieceBytes: fc.oneof(fc.constant(1 << 20), fc.integer({ min: 1, max: 40 })),
});

/** Sends the conversation that is the call's input, and sleeps. */
export const SEND_CONVERSATION = `
  const { frames, pieceBytes } = JSON.parse(Buffer.from(bytes.subarray(${HEADER_BYTES}, offset + length)));
  const all = Buffer.concat(frames.map(({ type, idDelta, argument, payload, fill, length, version }) => {
    const body = Buffer.concat([Buffer.from(payload, "latin1"), Buffer.alloc(fill, "x")]);
    return frame(type, (callId + idDelta) >>> 0, body, argument, length ?? body.length, version);
  }));
  try { for (let at = 0; at < all.length; at += pieceBytes) send(all.subarray(at, at + pieceBytes)); }
  catch {}
  block();`;

/** The codes that a call may end with, whatever its process sends. */
const CODES: ReadonlySet<string> = new Set([
  "SANDBOX_PROTOCOL",
  "SANDBOX_RUNNER_LOST",
  "SANDBOX_WALL_LIMIT",
  "SANDBOX_CPU_LIMIT",
  "SANDBOX_TRAP",
  "SANDBOX_PLUGIN_ERROR",
]);

/** What is wrong with how the call ended. */
export function problemWith({ frames }: Conversation, outcome: CallOutcome): string | undefined {
  if (!outcome.ok) {
    return CODES.has(outcome.error.code) ? undefined : `the code ${outcome.error.code}`;
  }
  const output = Buffer.from(outcome.output).toString("latin1");
  let chunks = "";
  for (const { type, idDelta, payload: own, fill } of frames) {
    const bytes = own + "x".repeat(fill);
    if (type === FRAME.CHUNK) chunks += bytes;
    else if (type === FRAME.REPLY && idDelta === 0 && chunks + bytes === output) return undefined;
    else chunks = "";
  }
  // A frame whose length lies can hold a reply made of others' bytes: also then it was sent.
  const isSpliced = frames.some(({ length }) => length !== undefined);
  return isSpliced ? undefined : "an output that was not sent";
}
