/**
 * A plugin's author writes the schema, and with an output the value too; both are small, and checking
 * one against the other, or only compiling the schema before its signature was looked at, would stop
 * the host for minutes (CWE-400, CWE-1050).
 */
import { parseManifest } from "@glovebox/manifest-validator";
import { expect, it } from "vitest";

import { compileSchemas, type SchemaCheck } from "../../src/plugin/function-schemas.ts";

type Schema = Readonly<Record<string, never>>;

/** A list each of whose items is checked by 2^levels parts. */
function doubling(levels: number): Schema {
  const $defs: Record<string, unknown> = { d0: { type: "integer" } };
  for (let level = 1; level <= levels; level++) {
    const half = { $ref: `#/$defs/d${level - 1}` };
    $defs[`d${level}`] = { allOf: [half, half] };
  }
  return { $defs, type: "array", items: { $ref: `#/$defs/d${levels}` } } as unknown as Schema;
}

function checkOf(schema: Schema): SchemaCheck {
  const compiled = compileSchemas({ f: { output: schema } });
  const check = compiled.allowed ? compiled.value.get("f")?.output : undefined;
  if (check === undefined) throw new Error("the schema did not compile");
  return check;
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

it("refuses a long list for a schema whose references multiply", () => {
  const check = checkOf(doubling(11));
  expect(check(zeros(100))).toBeUndefined();
  expect(check(zeros(8_000_000))).toMatch("more values than its schema can be checked against");
});

it("takes the long list for a plain schema", () => {
  expect(checkOf(doubling(0))(zeros(500_000))).toBeUndefined();
});

it("counts the values of an enum, and the comparisons of unique items", () => {
  const texts = Array.from({ length: 5_000 }, (_, at) => `text ${at}`);
  const listed = { type: "array", items: { enum: texts } } as unknown as Schema;
  expect(checkOf(listed)(zeros(5_000))).toMatch("more values");
  const unique = { items: { uniqueItems: true, maxItems: 1_000 } } as unknown as Schema;
  expect(checkOf(unique)(Array.from({ length: 100 }, () => zeros(100)))).toMatch("more values");
});

it("counts the ways of a pattern to match each text, or each key", () => {
  const slow = "^(?:a?){16}b$";
  const texts = Array.from({ length: 10_000 }, () => "a".repeat(16));
  const inItems = { type: "array", items: { not: { pattern: slow } } } as unknown as Schema;
  expect(checkOf(inItems)(texts.slice(0, 100))).toBeUndefined();
  expect(checkOf(inItems)(texts)).toMatch("more values");
  const inKeys = { patternProperties: { [slow]: false } } as unknown as Schema;
  const keyed = Object.fromEntries(texts.map((text, at) => [`${text}${at}`, 0]));
  expect(checkOf(inKeys)(keyed)).toMatch("more values");
  const longer = { pattern: "^(?:a{0,63})a*b$" } as unknown as Schema;
  expect(checkOf(longer)("a".repeat(4_000_000))).toMatch("more values");
});

it("takes thousands of texts for an honest pattern", () => {
  const email = { items: { pattern: "^[^@]{1,64}@[^@]{1,255}$" } } as unknown as Schema;
  const texts = Array.from({ length: 10_000 }, (_, at) => `somebody.${at}@mail.example.org`);
  expect(checkOf(email)(texts)).toBeUndefined();
});

it("is not misled by references that are data, nor by a property named $defs", () => {
  const circle = { $defs: { a: { const: { $ref: "#/$defs/a" } } }, items: { $ref: "#/$defs/a" } };
  expect(checkOf(circle as unknown as Schema)([])).toMatch("more values");
  const hidden = { items: { properties: { $defs: { enum: zeros(5_000).map(String) } } } };
  expect(checkOf(hidden as unknown as Schema)(zeros(5_000))).toMatch("more values");
});

it("ends for a value that contains itself", () => {
  const circle: unknown[] = [];
  circle.push(circle);
  expect(checkOf(doubling(1))(circle)).toMatch("more values");
});

it("compiles definitions once, however often they are referred to", () => {
  const parts = Object.fromEntries(
    Array.from({ length: 95 }, (_, at) => [`p${at}`, { minimum: at }]),
  );
  const schema = {
    $defs: { a: { properties: parts } },
    allOf: Array.from({ length: 98 }, () => ({ $ref: "#/$defs/a" })),
  };
  const functions = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [`f${at}`, { input: schema }]),
  );
  const plugin = { id: "bomb", version: "1.0.0", types: ["template"], abi: "flat", wasm: "p.wasm" };
  const manifest = parseManifest(Buffer.from(JSON.stringify({ plugin, functions })));
  if (!manifest.ok) throw new Error("the manifest was refused");
  expect(compileSchemas(manifest.manifest.functions).allowed).toBe(true);
});
