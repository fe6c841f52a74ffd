/**
 * A pattern whose matching backtracks for longer than the host lives (ReDoS, CWE-1333). The manifest's
 * rule refuses such patterns; this is what stands behind the rule, should one get past it.
 */
import { expect, it } from "vitest";

import { compileSchemas } from "../../src/plugin/function-schemas.ts";
import { linearPattern } from "../../src/plugin/linear-pattern.ts";

it.each(["^(a+)+$", "^(a|aa)*$", "^(?:a*)*b$", "(.*)*x$", "^([a-z]+)*\\d$"])(
  "ends for %s, for which V8 would take longer than there is time",
  (pattern) => {
    expect(linearPattern(pattern).test(`${"a".repeat(20_000)}!`)).toBe(false);
  },
);

it.each([
  ["pattern", { pattern: "^(?=a)a$" }],
  ["patternProperties", { patternProperties: { "(a)\\1": true } }],
])("gives no %s of a schema to V8: what only that takes refuses the load", (_what, schema) => {
  const compiled = compileSchemas({ f: { output: schema } });
  expect(compiled).toMatchObject({ allowed: false, code: "RUNTIME_SCHEMA" });
});

it("keeps patterns of one schema apart", () => {
  const compiled = compileSchemas({
    f: { output: { anyOf: [{ pattern: "^a$" }, { pattern: "^b$" }] } },
  });
  const check = compiled.allowed ? compiled.value.get("f")?.output : undefined;
  expect(["a", "b", "c"].map((text) => check?.(text) === undefined)).toEqual([true, true, false]);
});

const CHARACTERS = Array.from(
  "a-Z0_[]/\\.\t\n\v\f\r \u0000\u0001\b\u00a0\u1680\u2000\u2028\u2029\u202f\u3000\ufeffé😀αЯ\u2060\u180e",
);

it.each([
  ".",
  "^.$",
  "\\s",
  "\\S",
  "[\\s]",
  "[^\\s]",
  "[\\S]",
  "[^\\S]",
  "\\w",
  "\\W",
  "\\d",
  "[.]",
  "[[]",
  "[\\]]",
  "[a\\-z]",
  "\\/",
  "\\.",
  "\\ud83d\\ude00",
  "[\\ud83d\\ude00]",
  "\\u{1F600}",
  "\\u0061",
  "\\x61",
  "\\cA",
  "[\\b]",
  "\\0",
  "\\v",
  "\\p{L}",
  "\\P{L}",
  "\\p{Lu}",
  "\\p{Script=Greek}",
  "(?<letter>a)",
  "[(?<]",
  "^(?:a|b)$",
  "a{0,2}?",
  "[^]",
  "a[]b|[c[]|é",
  "[[^]",
  "$^|^a$",
])("%s means the same as in ECMA-262", (pattern) => {
  const own = linearPattern(pattern);
  const standard = new RegExp(pattern, "u");
  const differing = CHARACTERS.filter((text) => own.test(text) !== standard.test(text));
  expect(differing).toEqual([]);
});
