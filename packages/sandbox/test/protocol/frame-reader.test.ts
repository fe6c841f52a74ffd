import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MAX_FRAME_PAYLOAD_BYTES } from "../../src/limits.ts";
import { FrameReader } from "../../src/protocol/frame-reader.ts";
import {
  encodeHeader,
  FRAME,
  type FrameType,
  HEADER_BYTES,
} from "../../src/protocol/frame-table.ts";

const ACCEPTED_BYTES = 100;

/** A frame; `length` is what its header says, true or not. */
function frame(type: FrameType, callId: number, payload = "", length = payload.length): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + payload.length, payload, "latin1");
  encodeHeader(bytes, 0, type, 0, callId, length);
  bytes.write(payload, HEADER_BYTES, "latin1");
  return bytes;
}

/** What a receiver that accepts 100 bytes hears of these bytes, which arrive in pieces. */
function read(bytes: Uint8Array, cuts: readonly number[] = []): readonly string[] {
  const heard: string[] = [];
  const reader = new FrameReader({
    acceptsBytes: (type) => (type === FRAME.HELLO ? undefined : ACCEPTED_BYTES),
    onMessage: ({ type, callId }, payload) => {
      heard.push(`${type} ${callId} ${Buffer.from(payload).toString("latin1")}`);
      return true;
    },
    onViolation: ({ problem }) => heard.push(`violation: ${problem}`),
  });
  const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
  let at = 0;
  for (const end of [...places, bytes.length]) {
    // The caller uses its buffer again: nothing may be kept of it.
    const piece = new Uint8Array(bytes.subarray(at, end));
    reader.accept(piece, piece.length);
    piece.fill(0xff);
    at = end;
  }
  return heard;
}

describe("FrameReader", () => {
  it("joins chunks with the frame that follows them", () => {
    const chunks = [frame(FRAME.CHUNK, 7, "one "), frame(FRAME.CHUNK, 7, "two ")];
    expect(read(Buffer.concat([...chunks, frame(FRAME.REPLY, 7, "three")]))).toEqual([
      `${FRAME.REPLY} 7 one two three`,
    ]);
  });

  const otherVersion = frame(FRAME.REPLY, 7, "x");
  otherVersion[4] = 99;
  it.each([
    ["another protocol version", otherVersion, "protocol version 99"],
    [
      "a header that announces more than a frame may hold",
      frame(FRAME.REPLY, 7, "", MAX_FRAME_PAYLOAD_BYTES + 1),
      "a frame of 1048577 bytes",
    ],
    [
      "a header that announces more than the receiver accepts",
      frame(FRAME.REPLY, 7, "", ACCEPTED_BYTES + 1),
      "a payload of 101 bytes",
    ],
    [
      "chunks that together hold more than the receiver accepts",
      Buffer.concat([frame(FRAME.CHUNK, 7, "x".repeat(60)), frame(FRAME.REPLY, 7, "", 41)]),
      "a payload of 101 bytes",
    ],
    ["a type that is not expected", frame(FRAME.HELLO, 7), "a frame of type 32"],
    ["an empty chunk", frame(FRAME.CHUNK, 7), "an empty chunk"],
    [
      "chunks of one call in the message of another",
      Buffer.concat([frame(FRAME.CHUNK, 6, "x"), frame(FRAME.REPLY, 7, "y")]),
      "a frame of call 7 inside chunks of call 6",
    ],
  ])("refuses %s at its header, and reads nothing after it", (_name, bytes, problem) => {
    const heard = read(Buffer.concat([bytes, frame(FRAME.REPLY, 7, "after")]));
    expect(heard).toEqual([expect.stringContaining(problem)]);
  });

  it("hears the same wherever the bytes are split", () => {
    const type = fc.constantFrom(FRAME.CHUNK, FRAME.REPLY, FRAME.HOST_CALL, FRAME.HELLO);
    const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 60 });
    const frames = fc.array(
      fc.tuple(type, fc.integer({ min: 1, max: 2 }), text).map((parts) => frame(...parts)),
      { maxLength: 6 },
    );
    const anyBytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(frames, anyBytes, fc.array(fc.nat(), { maxLength: 8 }), (sent, tail, cuts) => {
        const bytes = Buffer.concat([...sent, tail]);
        expect(read(bytes, cuts)).toEqual(read(bytes));
      }),
    );
  });
});
