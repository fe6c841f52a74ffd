/**
 * @module The frames between host and runner: one table from which reader, writer and host-side
 * checks are derived. Everything that comes from a runner is attacker-controlled.
 *
 * A frame is a header of 20 bytes, little endian, and a payload:
 *
 *   u32 payload length · u8 protocol version · u8 type · u16 argument · u32 call id ·
 *   u64 instructions · payload
 */

/** Version that both sides must speak. */
export const PROTOCOL_VERSION = 2;

/** Bytes of a header. */
export const HEADER_BYTES = 20;

/** Types of frames. `CHUNK` carries a part of a payload whose last part is in the frame that follows. */
export const FRAME = {
  // host → runner
  CONFIGURE: 1,
  VALIDATE: 2,
  LOAD: 3,
  INSTANTIATE: 4,
  CALL: 5,
  HOST_RESULT: 6,
  // runner → host
  HELLO: 32,
  DONE: 33,
  REPLY: 34,
  FAILURE: 35,
  HOST_CALL: 36,
  // both
  CHUNK: 64,
  // reserved for streaming
  END: 65,
  CREDIT: 66,
} as const;

/** One of the frame types. */
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** `argument` of LOAD: the payload holds the module's bytes; any other value is the place of a validated module. */
export const LOAD_FROM_PAYLOAD = 0xffff;

/** `argument` of HOST_RESULT. */
export const HOST_RESULT = { OK: 0, REFUSED: 1 } as const;

/** What a runner can ask of its host: the `argument` of HOST_CALL. */
export const HOST_CALL = {
  VARIABLE_GET: 1,
  VARIABLE_SET: 2,
  HTTP: 3,
  LOG: 4,
  FUNCTION: 5,
  /** See file-calls.ts. */
  FILES: 6,
  /** u32 number of bytes. */
  RANDOM: 7,
} as const;

/** `instructions` of a frame that ends no call, or one of modules without fuel. */
export const NOT_COUNTED = -1;

/** `instructions` of a call whose count was lost, as in a trap. */
export const COUNT_LOST = -2;

/** The upper half of these two on the wire: no count has such a one. */
const HIGH_NOT_COUNTED = 0xffff_ffff;
const HIGH_COUNT_LOST = 0xffff_fffe;
const TWO_32 = 2 ** 32;

/** What the first byte of a LOG counts through: the levels that a plugin can log at. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** One kind of host call. */
export type HostCallKind = (typeof HOST_CALL)[keyof typeof HOST_CALL];

/** A decoded header. */
export interface FrameHeader {
  readonly length: number;
  readonly version: number;
  readonly type: number;
  readonly argument: number;
  readonly callId: number;
  /** What the call used, or {@link NOT_COUNTED} or {@link COUNT_LOST}. */
  readonly instructions: number;
}

/** Writes a header at `at`. */
export function encodeHeader(
  target: Uint8Array,
  at: number,
  type: FrameType,
  argument: number,
  callId: number,
  length: number,
  instructions: number = NOT_COUNTED,
): void {
  target[at] = length & 0xff;
  target[at + 1] = (length >>> 8) & 0xff;
  target[at + 2] = (length >>> 16) & 0xff;
  target[at + 3] = length >>> 24;
  target[at + 4] = PROTOCOL_VERSION;
  target[at + 5] = type;
  target[at + 6] = argument & 0xff;
  target[at + 7] = argument >>> 8;
  target[at + 8] = callId & 0xff;
  target[at + 9] = (callId >>> 8) & 0xff;
  target[at + 10] = (callId >>> 16) & 0xff;
  target[at + 11] = callId >>> 24;
  writeUint32(target, at + 12, instructions < 0 ? 0 : instructions % TWO_32);
  writeUint32(target, at + 16, highHalf(instructions));
}

function highHalf(instructions: number): number {
  if (instructions === NOT_COUNTED) return HIGH_NOT_COUNTED;
  if (instructions === COUNT_LOST) return HIGH_COUNT_LOST;
  return instructions / TWO_32;
}

function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value & 0xff;
  target[at + 1] = (value >>> 8) & 0xff;
  target[at + 2] = (value >>> 16) & 0xff;
  target[at + 3] = value >>> 24;
}

/** Reads an unsigned 32-bit number, little endian. */
export function readUint32(source: Uint8Array, at: number): number {
  return (
    ((source[at] ?? 0) |
      ((source[at + 1] ?? 0) << 8) |
      ((source[at + 2] ?? 0) << 16) |
      ((source[at + 3] ?? 0) << 24)) >>>
    0
  );
}

/** Reads the header at `at`; whether its values make sense is the reader's to check. */
export function decodeHeader(source: Uint8Array, at: number): FrameHeader {
  return {
    length: readUint32(source, at),
    version: source[at + 4] ?? 0,
    type: source[at + 5] ?? 0,
    argument: (source[at + 6] ?? 0) | ((source[at + 7] ?? 0) << 8),
    callId: readUint32(source, at + 8),
    instructions: readInstructions(source, at + 12),
  };
}

function readInstructions(source: Uint8Array, at: number): number {
  const high = readUint32(source, at + 4);
  if (high === HIGH_NOT_COUNTED) return NOT_COUNTED;
  if (high === HIGH_COUNT_LOST) return COUNT_LOST;
  return Math.min(high * TWO_32 + readUint32(source, at), Number.MAX_SAFE_INTEGER);
}
