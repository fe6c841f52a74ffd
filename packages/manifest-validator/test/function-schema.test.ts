import { describe, expect, it } from "vitest";

import { codesOf, withSchema } from "./manifest-text.ts";

describe("function schemas", () => {
  it.each([
    true,
    {},
    { $schema: "https://json-schema.org/draft/2020-12/schema", type: ["string", "null"] },
    {
      type: "object",
      properties: { constructor: { type: "string" } },
      additionalProperties: false,
    },
    { prefixItems: [true, { const: 1 }], items: false, unevaluatedItems: false },
    {
      $defs: { "a/b~c": { type: "string" }, any: true },
      anyOf: [{ $ref: "#/$defs/a~1b~0c" }, { $ref: "#/$defs/any" }],
    },
    { enum: [{ $ref: "not a reference, but data" }] },
    { type: "array", uniqueItems: true, maxItems: 1000 },
    { patternProperties: { "^x-": true }, format: "made-up", default: null },
  ])("accepts %j", (schema) => {
    expect(codesOf(withSchema(schema))).toEqual([]);
  });

  it.each([
    { type: "str" },
    { properties: [] },
    { minLength: -1 },
    { required: "a" },
    { $schema: "http://json-schema.org/draft-07/schema#" },
    { $schema: 7 },
    { $ref: "#" },
    { $ref: "#/properties/a" },
    { $ref: "#/$defs/%61", $defs: { a: true } },
    { $ref: "#/$defs/toString", $defs: {} },
    { $ref: "other.json" },
    { items: { $dynamicRef: "#meta" } },
    { $id: "https://example.com/a" },
    { $anchor: "a" },
    {
      $ref: "#/$defs/a",
      $defs: { a: { items: { $ref: "#/$defs/b" } }, b: { not: { $ref: "#/$defs/a" } } },
    },
    { patternProperties: { "[": true } },
  ])("refuses %j", (schema) => {
    expect(new Set(codesOf(withSchema(schema)))).toEqual(new Set(["MANIFEST_SCHEMA"]));
  });

  it.each([
    "^[a-z0-9-]+$",
    "^\\d{4}-\\d{2}-\\d{2}$",
    "^[A-Z]{3}$",
    "^[a-z]{1,63}\\.(?:com|org)$",
    "needle",
    "^(?<year>\\d{4})(-\\d{2}){0,2}$",
    "^\\p{L}+$",
    "^[\\]a]+\\/$",
    "\\.wasm$",
    "^a{2,}$",
    "",
  ])("accepts the pattern %s", (pattern) => {
    expect(codesOf(withSchema({ pattern }))).toEqual([]);
  });

  it.each([
    "^(a+)+$",
    "^(a|a)*$",
    "^(a|b)*$",
    "a+$",
    "^a*a*$",
    "^(\\w+\\s?)*$",
    "^(?=a)b$",
    "^(?<!a)b$",
    "^(a)\\1$",
    "^(?<x>a)\\k<x>$",
    "^(a{0,100}){0,100}$",
    "^(a?){60}$",
    "^a{1,1000}b{1,1000}$",
    "^a|b+$",
    "^[a-z]+@[a-z]+$",
    "^((a{1,9}){1,9}){1,9}$",
    "(?i:a)",
    "x".repeat(513),
  ])("refuses the pattern %s, which could take too long", (pattern) => {
    expect(codesOf(withSchema({ pattern }))).toEqual(["MANIFEST_SCHEMA_COST"]);
    expect(codesOf(withSchema({ patternProperties: { [pattern]: true } }))).toEqual([
      "MANIFEST_SCHEMA_COST",
    ]);
  });

  it("refuses a chain of references that nobody writes by hand", () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }]),
    );
    const schema = { $ref: "#/$defs/d0", $defs: { ...$defs, d30: true } };
    expect(codesOf(withSchema(schema))).toEqual(["MANIFEST_SCHEMA"]);
  });
});
