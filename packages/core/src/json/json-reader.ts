/**
 * @module The grammar of RFC 8259, read once from left to right. The text is attacker-controlled:
 * each step either consumes a character or stops, and every count is checked before it grows.
 */
import { type CoreErrorCode, received } from "../errors/index.ts";
import { type JsonStop, stopAt } from "./json-stop.ts";
import type { JsonLimits } from "./limits.ts";
import type { JsonValue } from "./value.ts";

/** A string's characters up to its end, an escape, or a control character. */
// oxlint-disable-next-line no-control-regex -- control characters are what ends the run
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const WHITE_SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const HEX4 = /[0-9a-fA-F]{4}/y;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

const LITERALS: readonly (readonly [string, null | boolean])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/** Reads one text. */
export class JsonReader {
  readonly #text: string;
  readonly #limits: Required<JsonLimits>;
  #at = 0;
  #keys = 0;
  #items = 0;

  constructor(text: string, limits: Required<JsonLimits>) {
    this.#text = text;
    this.#limits = limits;
  }

  /** The whole text as one value; throws a `JsonStop`. */
  read(): JsonValue {
    this.#skipWhiteSpace();
    const value = this.#value(0);
    if (this.#at < this.#text.length) throw this.#unexpected("the end of the text");
    return value;
  }

  /** A value and the white space after it. */
  #value(depth: number): JsonValue {
    const value = this.#bareValue(depth);
    this.#skipWhiteSpace();
    return value;
  }

  #bareValue(depth: number): JsonValue {
    switch (this.#text.charAt(this.#at)) {
      case "{":
        return this.#object(depth + 1);
      case "[":
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case "t":
      case "f":
      case "n":
        return this.#literal();
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonValue {
    this.#checkDepth(depth);
    this.#takes("{");
    const members: Record<string, JsonValue> = {};
    if (this.#takes("}")) return members;
    do {
      const key = this.#key(members);
      if (!this.#takes(":")) throw this.#unexpected("a colon");
      members[key] = this.#value(depth);
    } while (this.#takes(","));
    if (!this.#takes("}")) throw this.#unexpected("a comma or }");
    return members;
  }

  #array(depth: number): JsonValue {
    this.#checkDepth(depth);
    this.#takes("[");
    const items: JsonValue[] = [];
    if (this.#takes("]")) return items;
    do {
      this.#countItem();
      items.push(this.#value(depth));
    } while (this.#takes(","));
    if (!this.#takes("]")) throw this.#unexpected("a comma or ]");
    return items;
  }

  /** A key that may become a member of `members`, and the white space after it. */
  #key(members: Readonly<Record<string, JsonValue>>): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#unexpected("a key in double quotes");
    const key = this.#string();
    this.#keys += 1;
    if (this.#keys > this.#limits.maxKeys) {
      const problem = `more than ${this.#limits.maxKeys} object members`;
      throw this.#stop("JSON_KEY_COUNT", "json.keys", problem, start);
    }
    // Assigning it would not add a member but change the prototype.
    if (key === "__proto__") {
      throw this.#stop("JSON_PROTO_KEY", "json.proto", "the key __proto__", start);
    }
    if (Object.hasOwn(members, key)) {
      const problem = `the key ${received(key)} for the second time`;
      throw this.#stop("JSON_DUPLICATE_KEY", "json.duplicates", problem, start);
    }
    this.#skipWhiteSpace();
    return key;
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    let value = this.#match(PLAIN_CHARACTERS) ?? "";
    let hasCodeUnit = false;
    while (this.#text[this.#at] === "\\") {
      hasCodeUnit ||= this.#text[this.#at + 1] === "u";
      value += this.#escape() + (this.#match(PLAIN_CHARACTERS) ?? "");
    }
    if (this.#text[this.#at] !== '"') throw this.#unexpected('a string character or "');
    this.#at += 1;
    if (hasCodeUnit && !value.isWellFormed()) {
      const problem = "a string with half a surrogate pair";
      throw this.#stop("JSON_LONE_SURROGATE", "json.text", problem, start);
    }
    this.#checkStringSize(value, start);
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    if (letter !== "u") throw this.#unexpected("an escape sequence of JSON");
    this.#at += 2;
    const hex = this.#match(HEX4);
    if (hex === undefined) throw this.#unexpected("four hexadecimal digits");
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #literal(): JsonValue {
    for (const [word, value] of LITERALS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    throw this.#unexpected("a value");
  }

  #number(): number {
    const start = this.#at;
    const digits = this.#match(NUMBER);
    if (digits === undefined) throw this.#unexpected("a value");
    const value = Number(digits);
    if (isKept(digits, value)) return value;
    const problem = `the number ${received(digits)}, which would be changed by reading it,`;
    throw this.#stop("JSON_NUMBER_RANGE", "json.numbers", problem, start);
  }

  #checkDepth(depth: number): void {
    if (depth <= this.#limits.maxDepth) return;
    const problem = `nesting of more than ${this.#limits.maxDepth} levels`;
    throw this.#stop("JSON_DEPTH", "json.depth", problem, this.#at);
  }

  #countItem(): void {
    this.#items += 1;
    if (this.#items <= this.#limits.maxItems) return;
    const problem = `more than ${this.#limits.maxItems} array items`;
    throw this.#stop("JSON_ITEM_COUNT", "json.items", problem, this.#at);
  }

  #checkStringSize(value: string, start: number): void {
    const { maxStringBytes } = this.#limits;
    // At most three bytes a code unit: most strings need not be measured.
    if (value.length * 3 <= maxStringBytes || Buffer.byteLength(value) <= maxStringBytes) return;
    const problem = `a string of more than ${maxStringBytes} bytes`;
    throw this.#stop("JSON_STRING_SIZE", "json.strings", problem, start);
  }

  /** Consumes the delimiter, if it is next, and the white space after it. */
  #takes(delimiter: string): boolean {
    if (this.#text[this.#at] !== delimiter) return false;
    this.#at += 1;
    this.#skipWhiteSpace();
    return true;
  }

  #skipWhiteSpace(): void {
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#match(WHITE_SPACE);
  }

  #match(sticky: RegExp): string | undefined {
    const start = this.#at;
    sticky.lastIndex = start;
    if (!sticky.test(this.#text)) return undefined;
    this.#at = sticky.lastIndex;
    return this.#text.slice(start, this.#at);
  }

  #unexpected(expected: string): JsonStop {
    const next = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    const found = this.#at < this.#text.length ? received(next) : "the end of the text";
    const problem = `expected ${expected}, received ${found}`;
    return this.#stop("JSON_SYNTAX", "json.syntax", problem, this.#at);
  }

  #stop(code: CoreErrorCode, rule: string, problem: string, offset: number): JsonStop {
    return stopAt(code, rule, problem, this.#text, offset);
  }
}

/** Is the number still what was written: not infinite, not vanished, not a rounded integer? */
function isKept(digits: string, value: number): boolean {
  if (value === 0) return !/^-?[\d.]*[1-9]/.test(digits);
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return true;
  return Number.isFinite(value) && /[.eE]/.test(digits);
}
