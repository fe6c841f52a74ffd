import { parseBoundedJson } from "@glovebox/core/json";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { jsonValue } from "./arbitrary-json.ts";

describe("what the reader refuses, and where", () => {
  it.each([
    ["", "JSON_SYNTAX", "line 1, column 1 (offset 0)"],
    ["[1,\n 2,]", "JSON_SYNTAX", "line 2, column 4 (offset 7)"],
    ['{"a":1,}', "JSON_SYNTAX", "line 1, column 8"],
    ["{a:1}", "JSON_SYNTAX", "line 1, column 2"],
    ['{"a" 1}', "JSON_SYNTAX", "line 1, column 6"],
    ['{"a":1 "b":2}', "JSON_SYNTAX", "line 1, column 8"],
    ["[1 2]", "JSON_SYNTAX", "line 1, column 4"],
    ["[1", "JSON_SYNTAX", "the end of the text"],
    ["1 2", "JSON_SYNTAX", "line 1, column 3"],
    ["01", "JSON_SYNTAX", "line 1, column 2"],
    ["1.", "JSON_SYNTAX", "line 1, column 2"],
    ["+1", "JSON_SYNTAX", "line 1, column 1"],
    ["-", "JSON_SYNTAX", "line 1, column 1"],
    ["NaN", "JSON_SYNTAX", "line 1, column 1"],
    ["nul", "JSON_SYNTAX", "line 1, column 1"],
    ["'a'", "JSON_SYNTAX", "line 1, column 1"],
    ['"a', "JSON_SYNTAX", "the end of the text"],
    ['"a\nb"', "JSON_SYNTAX", "line 1, column 3"],
    [String.raw`"\x"`, "JSON_SYNTAX", "line 1, column 2"],
    [String.raw`"\u12g4"`, "JSON_SYNTAX", "four hexadecimal digits"],
    ["\u00a01", "JSON_SYNTAX", "line 1, column 1"],
    ["[]//", "JSON_SYNTAX", "line 1, column 3"],
    ["\r\n\r\n  x", "JSON_SYNTAX", "line 3, column 3 (offset 6)"],
    ['{"a":1,\r"a":2}', "JSON_DUPLICATE_KEY", `"a" for the second time at line 2, column 1`],
    [String.raw`{"a":1,"\u0061":2}`, "JSON_DUPLICATE_KEY", "line 1, column 8"],
    ['{"x":{"__proto__":{"admin":true}}}', "JSON_PROTO_KEY", "line 1, column 7"],
    [String.raw`{"__pro\u0074o__":1}`, "JSON_PROTO_KEY", "line 1, column 2"],
    ["[1e400]", "JSON_NUMBER_RANGE", `"1e400"`],
    ["-1e309", "JSON_NUMBER_RANGE", "line 1, column 1"],
    ["1e-400", "JSON_NUMBER_RANGE", "line 1, column 1"],
    ["0.0000000001e-330", "JSON_NUMBER_RANGE", "line 1, column 1"],
    ["9007199254740993", "JSON_NUMBER_RANGE", "line 1, column 1"],
    ["-9007199254740992", "JSON_NUMBER_RANGE", "line 1, column 1"],
    [String.raw`["\ud800"]`, "JSON_LONE_SURROGATE", "line 1, column 2"],
    [String.raw`"\ude00\ud83d"`, "JSON_LONE_SURROGATE", "line 1, column 1"],
    [String.raw`{"\udc00":1}`, "JSON_LONE_SURROGATE", "line 1, column 2"],
    ['"\ud800"', "JSON_LONE_SURROGATE", "line 1, column 2"],
    ["\ufeff1", "JSON_BOM", "line 1, column 1"],
  ])("%j is %s: %s", (text, code, where) => {
    expect(parseBoundedJson(text)).toEqual({
      allowed: false,
      code,
      rule: expect.stringMatching(/^json\./),
      reason: expect.stringContaining(where),
    });
  });

  it.each([
    [[0x22, 0xc3, 0x28, 0x22], 1],
    [[0x22, 0xef, 0xbf, 0x41, 0x22], 1],
    [[0x22, 0xc3, 0xa9, 0xff, 0x22], 3],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], 1],
    [[0x22, 0xc0, 0xaf, 0x22], 1],
    [[0x31, 0xe2, 0x82], 1],
  ])("the bytes %j are not UTF-8 at byte %i", (bytes, at) => {
    expect(parseBoundedJson(Uint8Array.from(bytes))).toMatchObject({
      code: "JSON_UTF8",
      reason: expect.stringMatching(new RegExp(`^byte ${at} is not UTF-8, at line 1`)),
    });
  });

  it.each([undefined, null, { length: 1 }, 7])(
    "%j, neither text nor bytes, is refused",
    (source) => {
      expect(parseBoundedJson(source as never)).toMatchObject({
        allowed: false,
        code: "CORE_CHECK_FAILED",
      });
    },
  );

  it("a byte order mark in bytes is refused too, and one inside a string is not", () => {
    const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 0x31);
    expect(parseBoundedJson(bytes)).toMatchObject({ code: "JSON_BOM" });
    expect(parseBoundedJson(Buffer.from('"\ufeff"'))).toMatchObject({ value: "\ufeff" });
  });
});

describe("what the reader accepts", () => {
  it.each([
    ["-0", -0],
    ["0e5", 0],
    ["-0.0E-400", -0],
    ["9007199254740991", 9007199254740991],
    ["-9007199254740991", -9007199254740991],
    ["1e300", 1e300],
    ["9007199254740993.0", 9007199254740992],
    [String.raw`"\ud83d\ude00\/\b\f\n\r\t\"\\"`, '😀/\b\f\n\r\t"\\'],
    [' \t\r\n{ "a" : [ ] , "b" : { } } \n', { a: [], b: {} }],
    [
      '{"constructor":1,"toString":2,"hasOwnProperty":3}',
      { constructor: 1, toString: 2, hasOwnProperty: 3 },
    ],
    ['{"proto":1,"__proto":2}', { proto: 1, __proto: 2 }],
  ])("reads %j", (text, value) => {
    expect(parseBoundedJson(text)).toEqual({ allowed: true, rule: "json.text", value });
    expect(parseBoundedJson(Buffer.from(text))).toEqual(parseBoundedJson(text));
  });
});

describe("the bounds of the reader", () => {
  it("count bytes of UTF-8 and not characters", () => {
    expect(parseBoundedJson('"€€"', { maxBytes: 8 })).toMatchObject({ allowed: true });
    expect(parseBoundedJson('"€€"', { maxBytes: 7 })).toMatchObject({ code: "JSON_SIZE" });
    expect(parseBoundedJson(Buffer.from('"€€"'), { maxBytes: 7 })).toMatchObject({
      code: "JSON_SIZE",
    });
    expect(parseBoundedJson(" ".repeat(1_048_577))).toMatchObject({ code: "JSON_SIZE" });
  });

  it("count arrays and objects around a value", () => {
    expect(parseBoundedJson("1", { maxDepth: 0 })).toMatchObject({ allowed: true });
    expect(parseBoundedJson("[]", { maxDepth: 0 })).toMatchObject({ code: "JSON_DEPTH" });
    expect(parseBoundedJson('[{"a":1}]', { maxDepth: 2 })).toMatchObject({ allowed: true });
    expect(parseBoundedJson('[{"a":[]}]', { maxDepth: 2 })).toMatchObject({ code: "JSON_DEPTH" });
    expect(parseBoundedJson("[".repeat(65) + "]".repeat(65))).toMatchObject({ code: "JSON_DEPTH" });
  });

  it("count the members of all objects together", () => {
    expect(parseBoundedJson('[{"a":1},{"a":{"b":2}}]', { maxKeys: 3 })).toMatchObject({
      allowed: true,
    });
    expect(parseBoundedJson('[{"a":1},{"a":{"b":2}}]', { maxKeys: 2 })).toMatchObject({
      code: "JSON_KEY_COUNT",
    });
  });

  it("count the items of all arrays together", () => {
    expect(parseBoundedJson("[1,[2]]", { maxItems: 3 })).toMatchObject({ allowed: true });
    expect(parseBoundedJson("[1,[2]]", { maxItems: 2 })).toMatchObject({ code: "JSON_ITEM_COUNT" });
    expect(parseBoundedJson("[]", { maxItems: 0 })).toMatchObject({ allowed: true });
  });

  it("count the bytes of a decoded string or key", () => {
    expect(parseBoundedJson('{"€":"€"}', { maxStringBytes: 3 })).toMatchObject({ allowed: true });
    expect(parseBoundedJson('["€"]', { maxStringBytes: 2 })).toMatchObject({
      code: "JSON_STRING_SIZE",
    });
    expect(parseBoundedJson('{"€":1}', { maxStringBytes: 2 })).toMatchObject({
      code: "JSON_STRING_SIZE",
    });
  });

  it.each([
    { maxBytes: -1 },
    { maxDepth: 1_001 },
    { maxDepth: Number.NaN },
    { maxKeys: 1.5 },
    { maxItems: -1 },
    { maxStringBytes: Infinity },
  ])("must be integers in range: %j throws", (limits) => {
    expect(() => parseBoundedJson("1", limits)).toThrow(
      expect.objectContaining({ code: "CORE_OPTION" }),
    );
  });
});

describe("against JSON.parse", () => {
  /** Texts that are JSON, nearly JSON, and made of JSON's characters. */
  const texts = fc.oneof(
    jsonValue.map((value) => JSON.stringify(value)),
    jsonValue.map((value) => JSON.stringify(value, null, 2)),
    fc
      .tuple(jsonValue, fc.nat(), fc.constantFrom(...Array.from('{}[],:"\\0-.e u\n')))
      .map(([value, at, insert]) => {
        const text = JSON.stringify(value);
        const place = at % (text.length + 1);
        return text.slice(0, place) + insert + text.slice(place + (at % 2));
      }),
    fc.string({ unit: fc.constantFrom(...Array.from('{}[],:"\\019-+.eEtrufalsn bd8 \n')) }),
    fc.string({ unit: "binary" }),
    fc.json(),
  );

  it("accepts nothing that JSON.parse refuses, and reads the same value", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const decision = parseBoundedJson(text);
        const [read, reference] = decision.allowed
          ? [decision.value, JSON.parse(text) as unknown]
          : [undefined, undefined];
        expect(read).toEqual(reference);
      }),
      { numRuns: 2_000 },
    );
  });

  it("calls a syntax error only what JSON.parse calls one", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const decision = parseBoundedJson(text);
        if (decision.allowed || decision.code !== "JSON_SYNTAX") return;
        expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws, and never answers that its own check failed, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decision = parseBoundedJson(bytes);
        expect(decision.allowed ? "JSON_" : decision.code).toMatch(/^JSON_/);
      }),
      { numRuns: 2_000 },
    );
  });
});
