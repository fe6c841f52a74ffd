/**
 * @module An example plugin of type `template`: functions that a template calls on values and on the
 * request it answers. Arguments are attacker-controlled: each is checked for kind and size.
 */
import { fail, Fields, JsonValue, readInputFields, run } from "@glovebox/plugin-sdk/assembly";

import { formatDate } from "./date";
import { lookUp } from "./path";
import { cut, mask } from "./text";

const MAX_ARGUMENTS = 16;
const MAX_TEXT_LENGTH = 65_536;

export function template_function(): i32 {
  return run(() => {
    const input = readInputFields();
    const call = new Call(input);
    return call.answer(input.text("function_name", 64));
  });
}

/** One call of a template function: its arguments and the request that it is about. */
class Call {
  private readonly args: Array<JsonValue>;

  constructor(private readonly input: Fields) {
    this.args = input.array("args", MAX_ARGUMENTS);
  }

  answer(name: string): JsonValue {
    if (name == "upper") return JsonValue.text(this.text(0).toUpperCase());
    if (name == "lower") return JsonValue.text(this.text(0).toLowerCase());
    if (name == "trim") return JsonValue.text(this.text(0).trim());
    if (name == "default") return this.firstOf(this.argument(0), this.argument(1));
    if (name == "truncate") return JsonValue.text(cut(this.text(0), this.size(1), "…"));
    if (name == "mask") return JsonValue.text(mask(this.text(0), this.sizeOr(1, 4)));
    if (name == "json_path") return lookUp(this.argument(0), this.text(1));
    if (name == "date") return JsonValue.text(this.date());
    if (name == "request") return lookUp(this.about("request_context"), this.text(0));
    if (name == "header") return this.header(this.text(0).toLowerCase());
    if (name == "query") return this.about("request_context").get("query_params").get(this.text(0));
    fail("There is no template function of this name.");
    return JsonValue.nothing();
  }

  private argument(at: i32): JsonValue {
    return at < this.args.length ? this.args[at] : JsonValue.nothing();
  }

  private text(at: i32): string {
    const value = this.argument(at);
    if (value.isText && value.text.length <= MAX_TEXT_LENGTH) return value.text;
    if (value.isNumber) return value.toString();
    fail("Argument " + (at + 1).toString() + " must be text or a number.");
    return "";
  }

  private size(at: i32): i32 {
    const value = this.argument(at);
    const whole = value.isNumber && Math.trunc(value.number) == value.number;
    if (whole && value.number >= 0 && value.number <= MAX_TEXT_LENGTH) return <i32>value.number;
    fail("Argument " + (at + 1).toString() + " must be a whole number from 0 to 65536.");
    return 0;
  }

  private sizeOr(at: i32, fallback: i32): i32 {
    return this.argument(at).isNull ? fallback : this.size(at);
  }

  /** Empty text counts as missing, as in the template languages that have this function. */
  private firstOf(value: JsonValue, fallback: JsonValue): JsonValue {
    return value.isNull || (value.isText && value.text.length == 0) ? fallback : value;
  }

  /** `date(format)` of the input's timestamp, or `date(format, timestamp)`. */
  private date(): string {
    const given = this.argument(1);
    const timestamp = given.isNull ? this.about("timestamp") : given;
    if (timestamp.isNumber) return formatDate(timestamp.number, this.text(0));
    fail("The date needs a timestamp in seconds.");
    return "";
  }

  private header(lowerCaseName: string): JsonValue {
    const headers = this.about("request_context").get("headers");
    const names = headers.members.keys();
    for (let at = 0; at < names.length; at++) {
      if (names[at].toLowerCase() == lowerCaseName) return headers.get(names[at]);
    }
    return JsonValue.nothing();
  }

  /** What the call is about stands in the input, or in `context.custom` where a host puts it there. */
  private about(name: string): JsonValue {
    const direct = this.input.value.get(name);
    return direct.isNull ? this.input.value.get("context").get("custom").get(name) : direct;
  }
}
