/**
 * @module From bytes to text without repair (RFC 8259 section 8.1): a byte that is not UTF-8 is an
 * error, never U+FFFD, because two different inputs must not become one text.
 */
import { JsonStop, stopAt } from "./json-stop.ts";

const BYTE_ORDER_MARK = 0xfeff;

/** Decodes UTF-8, or takes a string as it is; at most `maxBytes`, and no byte order mark. */
export function decodeText(source: string | Uint8Array, maxBytes: number): string {
  // A UTF-16 code unit is at least one byte, so a huge string is refused without being walked.
  if (source.length > maxBytes) throw tooLong(maxBytes);
  if (typeof source !== "string") return withoutMark(decodeBytes(source));
  if (Buffer.byteLength(source) > maxBytes) throw tooLong(maxBytes);
  if (!source.isWellFormed()) {
    const at = source.search(/[\ud800-\udfff]/u);
    throw stopAt("JSON_LONE_SURROGATE", "json.text", "half a surrogate pair", source, at);
  }
  return withoutMark(source);
}

function decodeBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw notUtf8(bytes);
  }
}

/** The repaired text only helps to find the place: written out again, it differs there first. */
function notUtf8(bytes: Uint8Array): JsonStop {
  const repaired = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const written = Buffer.from(repaired);
  let wrongByte = written.findIndex((byte, at) => byte !== bytes[at]);
  // Back to where the character begins: continuation bytes are 10xxxxxx.
  while (((written[wrongByte] ?? 0) & 0xc0) === 0x80) wrongByte -= 1;
  const textBefore = written.subarray(0, wrongByte).toString("utf8");
  const problem = `byte ${wrongByte} is not UTF-8,`;
  return stopAt("JSON_UTF8", "json.text", problem, repaired, textBefore.length);
}

function withoutMark(text: string): string {
  if (text.charCodeAt(0) !== BYTE_ORDER_MARK) return text;
  throw stopAt("JSON_BOM", "json.text", "a byte order mark", text, 0);
}

function tooLong(maxBytes: number): JsonStop {
  return new JsonStop("JSON_SIZE", "json.bytes", `the text is longer than ${maxBytes} bytes`);
}
