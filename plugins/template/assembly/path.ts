/** @module Looking into a JSON value: `items[0].name`, or the same with dots only. */
import { fail, JsonValue } from "@glovebox/plugin-sdk/assembly";

const MAX_PATH_LENGTH = 256;

/** The value at `path`, or null where there is none. An empty path is the value itself. */
export function lookUp(value: JsonValue, path: string): JsonValue {
  if (path.length > MAX_PATH_LENGTH) {
    fail("A path must be at most 256 characters long.");
    return JsonValue.nothing();
  }
  if (path.length == 0) return value;
  const names = path.replaceAll("[", ".").replaceAll("]", "").split(".");
  let found = value;
  for (let at = 0; at < names.length; at++) {
    // A path may begin with an index: "[0].name".
    if (at == 0 && names[0].length == 0) continue;
    found = found.isArray ? itemOf(found, names[at]) : found.get(names[at]);
  }
  return found;
}

function itemOf(array: JsonValue, name: string): JsonValue {
  const isIndex = name.length > 0 && name.length <= 9 && name == parseDigits(name).toString();
  const index = isIndex ? parseDigits(name) : -1;
  return index >= 0 && index < array.items.length ? array.items[index] : JsonValue.nothing();
}

function parseDigits(name: string): i32 {
  return I32.parseInt(name, 10);
}
