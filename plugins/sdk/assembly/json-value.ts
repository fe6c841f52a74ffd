/** @module A JSON value, read or built, and its text. */

/** The kinds of JSON values. */
export enum JsonKind {
  Null,
  Bool,
  Number,
  Text,
  Array,
  Object,
  /** An array of the numbers 0 to 255, held as bytes. Only built, never read. */
  Bytes,
}

const NO_ITEMS: Array<JsonValue> = [];
const NO_BYTES = new Uint8Array(0);
const NO_MEMBERS = new Map<string, JsonValue>();

/** One value. Members keep their order. */
export class JsonValue {
  private constructor(
    readonly kind: JsonKind,
    readonly number: f64 = 0,
    /** A text's characters; a number as it was written. */
    readonly text: string = "",
    readonly items: Array<JsonValue> = NO_ITEMS,
    readonly members: Map<string, JsonValue> = NO_MEMBERS,
    private readonly content: Uint8Array = NO_BYTES,
  ) {}

  static nothing(): JsonValue {
    return new JsonValue(JsonKind.Null);
  }
  static bool(value: bool): JsonValue {
    return new JsonValue(JsonKind.Bool, value ? 1 : 0);
  }
  static number(value: f64): JsonValue {
    return new JsonValue(JsonKind.Number, value);
  }
  /** A number that was read: printed as it was written, which a conversion there and back would not keep. */
  static numberAs(value: f64, written: string): JsonValue {
    return new JsonValue(JsonKind.Number, value, written);
  }
  static text(value: string): JsonValue {
    return new JsonValue(JsonKind.Text, 0, value);
  }
  static array(): JsonValue {
    return new JsonValue(JsonKind.Array, 0, "", []);
  }
  static object(): JsonValue {
    return new JsonValue(JsonKind.Object, 0, "", NO_ITEMS, new Map<string, JsonValue>());
  }

  static bytes(content: Uint8Array): JsonValue {
    return new JsonValue(JsonKind.Bytes, 0, "", NO_ITEMS, NO_MEMBERS, content);
  }

  get isNull(): bool {
    return this.kind == JsonKind.Null;
  }
  get isText(): bool {
    return this.kind == JsonKind.Text;
  }
  get isNumber(): bool {
    return this.kind == JsonKind.Number;
  }
  get isArray(): bool {
    return this.kind == JsonKind.Array;
  }
  get isObject(): bool {
    return this.kind == JsonKind.Object;
  }

  /** A member, or a null value where there is none. */
  get(name: string): JsonValue {
    return this.members.has(name) ? this.members.get(name) : JsonValue.nothing();
  }

  /** Sets a member and answers this value, for chaining. */
  set(name: string, value: JsonValue): JsonValue {
    this.members.set(name, value);
    return this;
  }

  /** Appends an item and answers this value, for chaining. */
  push(value: JsonValue): JsonValue {
    this.items.push(value);
    return this;
  }

  /** The value as JSON. */
  toString(): string {
    const parts: string[] = [];
    this.append(parts);
    return parts.join("");
  }

  private append(parts: string[]): void {
    switch (this.kind) {
      case JsonKind.Null:
        parts.push("null");
        return;
      case JsonKind.Bool:
        parts.push(this.number != 0 ? "true" : "false");
        return;
      case JsonKind.Number:
        parts.push(this.text.length == 0 ? numberText(this.number) : this.text);
        return;
      case JsonKind.Text:
        parts.push(quote(this.text));
        return;
      case JsonKind.Array:
        parts.push("[");
        for (let at = 0; at < this.items.length; at++) {
          if (at != 0) parts.push(",");
          this.items[at].append(parts);
        }
        parts.push("]");
        return;
      case JsonKind.Bytes:
        parts.push("[");
        parts.push(this.content.join(","));
        parts.push("]");
        return;
      default: {
        parts.push("{");
        const names = this.members.keys();
        for (let at = 0; at < names.length; at++) {
          if (at != 0) parts.push(",");
          parts.push(quote(names[at]));
          parts.push(":");
          this.members.get(names[at]).append(parts);
        }
        parts.push("}");
      }
    }
  }
}

/** Whole numbers without a fraction; what JSON cannot say becomes null. */
function numberText(value: f64): string {
  if (!isFinite(value)) return "null";
  return Math.trunc(value) == value && Math.abs(value) <= 9007199254740991
    ? (<i64>value).toString()
    : value.toString();
}

/** A text as a JSON string, with the escapes of RFC 8259 section 7. */
export function quote(text: string): string {
  const parts: string[] = ['"'];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x20 && code != 0x22 && code != 0x5c) continue;
    parts.push(text.substring(from, at));
    parts.push(escapeOf(code));
    from = at + 1;
  }
  parts.push(text.substring(from));
  parts.push('"');
  return parts.join("");
}

function escapeOf(code: i32): string {
  if (code == 0x22) return '\\"';
  if (code == 0x5c) return "\\\\";
  if (code == 0x0a) return "\\n";
  if (code == 0x0d) return "\\r";
  if (code == 0x09) return "\\t";
  return "\\u00" + (code < 16 ? "0" : "") + code.toString(16);
}
