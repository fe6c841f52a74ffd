import { fail } from "./failure";
/**
 * @module Validated input, first half: RFC 8259 with bounds. Every byte is attacker-controlled:
 * depth and number of values are limited, UTF-8 is checked, and what two readers could read in two
 * ways (duplicate members, unpaired surrogates, numbers out of range) is refused.
 */
import { JsonValue } from "./json-value";

/** Arrays and objects within one another: real requests have a handful, and each costs stack. */
export const MAX_JSON_DEPTH = 32;
/** Values in all: each costs some 200 bytes of the plugin's memory. */
export const MAX_JSON_VALUES = 50_000;

/** Parses a JSON text. What is not JSON makes the call fail, and answers null. */
export function parseJson(bytes: Uint8Array): JsonValue {
  const value = tryParseJson(bytes);
  if (value !== null) return value;
  fail("The input is not valid JSON, or is nested too deep.");
  return JsonValue.nothing();
}

/** As {@link parseJson}, for a text whose form decides about an answer and not about the call: `null` if it is not JSON. */
export function tryParseJson(bytes: Uint8Array): JsonValue | null {
  const reader = new JsonReader(bytes);
  const value = reader.whole();
  return reader.broken ? null : value;
}

class JsonReader {
  broken: bool = false;
  private at: i32 = 0;
  private values: i32 = 0;

  constructor(private readonly bytes: Uint8Array) {}

  whole(): JsonValue {
    if (!isUtf8(this.bytes)) return this.stop();
    const value = this.value(0);
    this.skipSpace();
    return this.at == this.bytes.length ? value : this.stop();
  }

  private stop(): JsonValue {
    this.broken = true;
    return JsonValue.nothing();
  }

  /** The next byte, or -1 at the end. */
  private peek(): i32 {
    return this.at < this.bytes.length ? <i32>unchecked(this.bytes[this.at]) : -1;
  }

  private skipSpace(): void {
    for (;;) {
      const byte = this.peek();
      if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return;
      this.at++;
    }
  }

  private value(depth: i32): JsonValue {
    if (depth > MAX_JSON_DEPTH || ++this.values > MAX_JSON_VALUES) return this.stop();
    this.skipSpace();
    const byte = this.peek();
    if (byte == 0x7b) return this.object(depth);
    if (byte == 0x5b) return this.array(depth);
    if (byte == 0x22) return JsonValue.text(this.string());
    if (byte == 0x74) return this.word("true", JsonValue.bool(true));
    if (byte == 0x66) return this.word("false", JsonValue.bool(false));
    if (byte == 0x6e) return this.word("null", JsonValue.nothing());
    return this.number();
  }

  private word(word: string, value: JsonValue): JsonValue {
    for (let index = 0; index < word.length; index++) {
      if (this.peek() != word.charCodeAt(index)) return this.stop();
      this.at++;
    }
    return value;
  }

  private object(depth: i32): JsonValue {
    const value = JsonValue.object();
    this.at++;
    this.skipSpace();
    if (this.peek() == 0x7d) {
      this.at++;
      return value;
    }
    while (!this.broken) {
      this.skipSpace();
      if (this.peek() != 0x22) return this.stop();
      const name = this.string();
      this.skipSpace();
      if (this.peek() != 0x3a || value.members.has(name)) return this.stop();
      this.at++;
      value.set(name, this.value(depth + 1));
      this.skipSpace();
      const byte = this.peek();
      this.at++;
      if (byte == 0x7d) return value;
      if (byte != 0x2c) return this.stop();
    }
    return value;
  }

  private array(depth: i32): JsonValue {
    const value = JsonValue.array();
    this.at++;
    this.skipSpace();
    if (this.peek() == 0x5d) {
      this.at++;
      return value;
    }
    while (!this.broken) {
      value.push(this.value(depth + 1));
      this.skipSpace();
      const byte = this.peek();
      this.at++;
      if (byte == 0x5d) return value;
      if (byte != 0x2c) return this.stop();
    }
    return value;
  }

  private string(): string {
    const parts: string[] = [];
    let from = ++this.at;
    while (!this.broken) {
      const byte = this.peek();
      if (byte < 0x20) break;
      if (byte == 0x22 || byte == 0x5c) {
        const start = this.bytes.dataStart + from;
        parts.push(String.UTF8.decodeUnsafe(start, this.at - from));
        this.at++;
        if (byte == 0x22) return parts.join("");
        parts.push(this.escape());
        from = this.at;
        continue;
      }
      this.at++;
    }
    this.stop();
    return "";
  }

  private escape(): string {
    const byte = this.peek();
    this.at++;
    if (byte == 0x75) return this.unicodeEscape();
    if (byte == 0x22 || byte == 0x5c || byte == 0x2f) return String.fromCharCode(byte);
    if (byte == 0x62) return "\b";
    if (byte == 0x66) return "\f";
    if (byte == 0x6e) return "\n";
    if (byte == 0x72) return "\r";
    if (byte == 0x74) return "\t";
    this.stop();
    return "";
  }

  private unicodeEscape(): string {
    const high = this.fourHex();
    if (high < 0xd800 || high > 0xdfff) return high < 0 ? "" : String.fromCharCode(high);
    const paired = high < 0xdc00 && this.peek() == 0x5c;
    this.at++;
    if (!paired || this.peek() != 0x75) {
      this.stop();
      return "";
    }
    this.at++;
    const low = this.fourHex();
    if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(high, low);
    this.stop();
    return "";
  }

  private fourHex(): i32 {
    let code = 0;
    for (let index = 0; index < 4; index++) {
      const byte = this.peek();
      const lower = byte | 0x20;
      let digit = -1;
      if (byte >= 0x30 && byte <= 0x39) digit = byte - 0x30;
      else if (lower >= 0x61 && lower <= 0x66) digit = lower - 0x57;
      if (digit < 0) {
        this.stop();
        return -1;
      }
      code = (code << 4) | digit;
      this.at++;
    }
    return code;
  }

  private number(): JsonValue {
    const from = this.at;
    if (this.peek() == 0x2d) this.at++;
    const whole = this.digits();
    // No digits, or a zero in front of others.
    if (whole == 0 || (whole > 1 && this.bytes[this.at - whole] == 0x30)) return this.stop();
    if (this.peek() == 0x2e) {
      this.at++;
      if (this.digits() == 0) return this.stop();
    }
    if ((this.peek() | 0x20) == 0x65) {
      this.at++;
      if (this.peek() == 0x2b || this.peek() == 0x2d) this.at++;
      if (this.digits() == 0) return this.stop();
    }
    const text = String.UTF8.decodeUnsafe(this.bytes.dataStart + from, this.at - from);
    const value = parseFloat(text);
    return isFinite(value) ? JsonValue.numberAs(value, text) : this.stop();
  }

  private digits(): i32 {
    const from = this.at;
    while (this.peek() >= 0x30 && this.peek() <= 0x39) this.at++;
    return this.at - from;
  }
}

/** Whether the bytes are UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
export function isUtf8(bytes: Uint8Array): bool {
  let at = 0;
  while (at < bytes.length) {
    const first = <i32>unchecked(bytes[at++]);
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4) return false;
    const more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    let low = 0x80;
    let high = 0xbf;
    if (first == 0xe0) low = 0xa0;
    else if (first == 0xed) high = 0x9f;
    else if (first == 0xf0) low = 0x90;
    else if (first == 0xf4) high = 0x8f;
    for (let index = 0; index < more; index++) {
      if (at >= bytes.length) return false;
      const byte = <i32>unchecked(bytes[at++]);
      if (byte < low || byte > high) return false;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}
