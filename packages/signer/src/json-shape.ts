/** @module Questions about the shape of parsed JSON, for readers that take nothing unknown. */
import type { JsonValue } from "@glovebox/core/json";

/** Whether a value is an object; lists and null are none. */
export function isRecord(
  value: JsonValue | undefined,
): value is { readonly [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether an object has these members and no other. */
export function hasExactKeys(record: object, keys: readonly string[]): boolean {
  return (
    Object.keys(record).length === keys.length && keys.every((key) => Object.hasOwn(record, key))
  );
}
