/**
 * @module Reading within bounds: a cursor over one stretch of the module that knows where it stands
 * in the whole. Nothing here allocates from a length before that length is checked against the
 * bytes that are there, and every failure carries its byte offset.
 */
import { WASM_ERRORS, type WasmErrorCode } from "../errors.ts";
import { MAX_NAME_BYTES, MAX_U32_BYTES, MAX_U64_BYTES } from "../limits.ts";

/** Why and where reading stopped. Internal: caught where reading begins, never thrown at a caller. */
export class Malformed extends Error {
  readonly code: WasmErrorCode;
  /** Byte offset from the start of the module. */
  readonly offset: number;

  constructor(code: WasmErrorCode, offset: number, what: string) {
    super(`${what} at byte ${offset}`);
    this.code = code;
    this.offset = offset;
  }
}

/** A position in the bytes, and the end that it may not pass. */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;
}

/** Reads one byte. */
export function readByte(cursor: Cursor): number {
  const byte = cursor.at < cursor.end ? cursor.bytes[cursor.at] : undefined;
  if (byte === undefined) throw new Malformed("WASM_SECTION", cursor.at, "the bytes end too early");
  cursor.at += 1;
  return byte;
}

/**
 * Reads a LEB128 u32 (5.2.2). Padding is valid and compilers use it, up to five bytes; a sixth byte
 * or bits beyond the 32nd are not: two readers could take them differently.
 */
export function readU32(cursor: Cursor): number {
  const start = cursor.at;
  let value = 0;
  for (let index = 0; index < MAX_U32_BYTES; index += 1) {
    const byte = readByte(cursor);
    const bits = byte & 0x7f;
    if (index === MAX_U32_BYTES - 1 && byte > 0x0f) break;
    // Not by shifting: a shift by 28 would make bit 31 a sign.
    value += bits * 2 ** (7 * index);
    if (byte < 0x80) return value;
  }
  throw new Malformed("WASM_INTEGER", start, WASM_ERRORS.WASM_INTEGER.summary);
}

/** Passes over a LEB128 integer of at most `maxBytes`; its value is the engine's to judge. */
export function skipInteger(cursor: Cursor, maxBytes: number = MAX_U64_BYTES): void {
  const start = cursor.at;
  for (let index = 0; index < maxBytes; index += 1) if (readByte(cursor) < 0x80) return;
  throw new Malformed("WASM_INTEGER", start, WASM_ERRORS.WASM_INTEGER.summary);
}

/** Reads a count of entries that each take at least `minBytes`; the count is attacker-controlled. */
export function readCount(cursor: Cursor, minBytes: number, max: number, what: string): number {
  const start = cursor.at;
  const count = readU32(cursor);
  if (count > Math.floor((cursor.end - cursor.at) / minBytes)) {
    throw new Malformed("WASM_COUNT", start, `${count} ${what} do not fit into their section`);
  }
  if (count > max) {
    throw new Malformed("WASM_COUNT", start, `${count} ${what} are more than ${max}`);
  }
  return count;
}

/** Reads a name (5.2.4): strict UTF-8, bounded, without characters that mislead a reader. */
export function readName(cursor: Cursor): string {
  const start = cursor.at;
  const size = readU32(cursor);
  if (size > cursor.end - cursor.at) {
    throw new Malformed("WASM_SECTION", start, `a name of ${size} bytes goes beyond its section`);
  }
  if (size > MAX_NAME_BYTES) {
    throw new Malformed(
      "WASM_NAME",
      start,
      `a name of ${size} bytes is longer than ${MAX_NAME_BYTES}`,
    );
  }
  const text = decodeUtf8(cursor.bytes.subarray(cursor.at, cursor.at + size));
  if (text === undefined) throw new Malformed("WASM_NAME", start, "a name is not UTF-8");
  if (MISLEADING_CHARACTERS.test(text)) {
    throw new Malformed("WASM_NAME", start, "a name holds control or bidirectional characters");
  }
  cursor.at += size;
  return text;
}

// A name with these could forge a log line or reorder what an operator reads (CWE-117, CWE-1007).
const MISLEADING_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u;

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
