import { canonicalJson, JsonError, type JsonValue, parseBoundedJson } from "@glovebox/core/json";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { jsonValue } from "./arbitrary-json.ts";

describe("what has no canonical form", () => {
  const holed: JsonValue[] = [];
  holed[1] = 1;

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["a member that is undefined", { a: undefined }],
    ["a hole in an array", holed],
    ["NaN", Number.NaN],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["a bigint", 1n],
    ["a symbol", Symbol("s")],
    ["a function", () => 1],
    ["a toJSON method", { toJSON: () => "other" }],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["bytes", new Uint8Array(1)],
    [
      "an instance of a class",
      new (class Point {
        x = 1;
      })(),
    ],
  ])("is refused: %s", (_, value) => {
    expect(() => canonicalJson(value as JsonValue)).toThrow(JsonError);
    expect(() => canonicalJson(value as JsonValue)).toThrow(
      expect.objectContaining({ code: "JSON_VALUE" }),
    );
  });

  it("is refused: half a surrogate pair, as a string and as a key", () => {
    for (const value of ["\ud800", ["\udc00"], { "\ud800": 1 }]) {
      expect(() => canonicalJson(value)).toThrow(
        expect.objectContaining({ code: "JSON_LONE_SURROGATE" }),
      );
    }
  });

  it("is refused: a cycle, and nesting beyond 1,000 levels", () => {
    const cycle: JsonValue[] = [];
    cycle.push({ inner: cycle });
    expect(() => canonicalJson(cycle)).toThrow(expect.objectContaining({ code: "JSON_DEPTH" }));
    expect(canonicalJson(nested(1_000))).toBe("[".repeat(1_000) + "]".repeat(1_000));
    expect(() => canonicalJson(nested(1_001))).toThrow(
      expect.objectContaining({ code: "JSON_DEPTH" }),
    );
  });

  it("is named by a JSON pointer in the message", () => {
    const value = { "a/b": [0, { "m~n": undefined }] } as unknown as JsonValue;
    expect(() => canonicalJson(value)).toThrow(`"/a~1b/1/m~0n"`);
  });
});

it("reads back as the value it was", () => {
  fc.assert(
    fc.property(jsonValue, (value) => {
      expect(parseBoundedJson(canonicalJson(value))).toEqual({
        allowed: true,
        rule: "json.text",
        value,
      });
    }),
  );
});

it("is the same text for the same value, in whatever order its members were set", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (members) => {
      const reversed = Object.fromEntries(Object.entries(members).toReversed());
      expect(canonicalJson(reversed)).toBe(canonicalJson(members));
    }),
  );
});

it("is JSON that JSON.parse understands alike", () => {
  fc.assert(
    fc.property(jsonValue, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(value);
    }),
  );
});

function nested(levels: number): JsonValue {
  let value: JsonValue = [];
  for (let level = 1; level < levels; level++) value = [value];
  return value;
}
