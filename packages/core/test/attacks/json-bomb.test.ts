/** Attack: small JSON texts that cost much (CWE-400, CWE-674); JSON.parse nests millions of levels. */
import { parseBoundedJson } from "@glovebox/core/json";
import { expect, it } from "vitest";

it.each(["[", '{"a":', '[{"a":'])("stops nesting of %j before the stack does", (opening) => {
  const text = opening.repeat(Math.floor(1_000_000 / opening.length));
  expect(parseBoundedJson(text)).toMatchObject({ allowed: false, code: "JSON_DEPTH" });
});

it("reads the deepest nesting that may be asked for", () => {
  const text = "[".repeat(1_000) + "]".repeat(1_000);
  expect(parseBoundedJson(text, { maxDepth: 1_000 })).toMatchObject({ allowed: true });
});

it("stops counting integer-like keys, the slowest to store, at the bound", () => {
  const members = Array.from({ length: 50_000 }, (_, key) => `"${4_000_000_000 - key}":0`);
  expect(parseBoundedJson(`{${members.join(",")}}`)).toMatchObject({
    allowed: false,
    code: "JSON_KEY_COUNT",
  });
});

it("stops counting array items at the bound, whatever the size that is allowed", () => {
  const text = `[${"0,".repeat(6_000_000)}0]`;
  expect(parseBoundedJson(text, { maxBytes: 16_777_216 })).toMatchObject({
    allowed: false,
    code: "JSON_ITEM_COUNT",
  });
});

it("answers a megabyte of one number, one string or white space like any other text", () => {
  expect(parseBoundedJson("9".repeat(1_000_000))).toMatchObject({ code: "JSON_NUMBER_RANGE" });
  expect(parseBoundedJson(`"${"\\".repeat(999_999)}`)).toMatchObject({ code: "JSON_SYNTAX" });
  expect(parseBoundedJson(" \n".repeat(500_000))).toMatchObject({ code: "JSON_SYNTAX" });
});
