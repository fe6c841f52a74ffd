import { fail } from "./failure";
/**
 * @module Validated input, second half: typed getters over a JSON object. Each says what it expects;
 * what is something else makes the call fail with a sentence that names the field and the
 * expectation, and never repeats the value.
 */
import { JsonValue } from "./json-value";

/** The fields of one JSON object. `path` is where it stands in the input, for messages. */
export class Fields {
  constructor(
    readonly value: JsonValue,
    readonly path: string,
  ) {}

  has(name: string): bool {
    return !this.value.get(name).isNull;
  }

  /** Text of at most `maxLength` UTF-16 units. */
  text(name: string, maxLength: i32): string {
    const value = this.value.get(name);
    if (value.isText && value.text.length <= maxLength) return value.text;
    this.refuse(name, "text of at most " + maxLength.toString() + " characters");
    return "";
  }

  /** As {@link text}, or `fallback` where the field is absent or null. */
  textOr(name: string, maxLength: i32, fallback: string): string {
    return this.has(name) ? this.text(name, maxLength) : fallback;
  }

  /** A whole number from `least` to `most`. */
  integer(name: string, least: i64, most: i64): i64 {
    const value = this.value.get(name);
    if (value.isNumber && Math.trunc(value.number) == value.number) {
      // Compared as f64 first: converting a number beyond i64 would trap.
      if (value.number >= <f64>least && value.number <= <f64>most) return <i64>value.number;
    }
    this.refuse(name, "a whole number from " + least.toString() + " to " + most.toString());
    return least;
  }

  /** As {@link integer}, or `fallback` where the field is absent or null. */
  integerOr(name: string, least: i64, most: i64, fallback: i64): i64 {
    return this.has(name) ? this.integer(name, least, most) : fallback;
  }

  /** An object. Absent or null is an empty one. */
  object(name: string): Fields {
    const value = this.value.get(name);
    if (!value.isObject && !value.isNull) this.refuse(name, "an object");
    return new Fields(value.isObject ? value : JsonValue.object(), this.path + name + ".");
  }

  /** An array of at most `maxItems`. Absent or null is an empty one. */
  array(name: string, maxItems: i32): Array<JsonValue> {
    const value = this.value.get(name);
    if (value.isNull) return [];
    if (value.isArray && value.items.length <= maxItems) return value.items;
    this.refuse(name, "an array of at most " + maxItems.toString() + " items");
    return [];
  }

  private refuse(name: string, expected: string): void {
    fail('"' + this.path + name + '" must be ' + expected + ".");
  }
}
