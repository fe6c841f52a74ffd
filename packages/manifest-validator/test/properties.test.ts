import { MANIFEST_ERRORS, parseManifest } from "@glovebox/manifest-validator";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { PLUGIN, withSchema } from "./manifest-text.ts";

const fragments = fc.array(
  fc.oneof(
    fc.constantFrom(
      ..."plugin: |id: |version: |[|]|{|}|- |\n|\n  |? |: |, |&a |*a |!!str |!x |<<: |--- |...\n|%YAML 1.1\n|\"|'|\\x00|\\ud800|#|>|\t|__proto__: |1.0.0|null|~|0x1f|.inf".split(
        "|",
      ),
      "|",
    ),
    fc.string({ unit: "binary", maxLength: 8 }),
  ),
  { maxLength: 60 },
);

describe("parseManifest, for any input", () => {
  it("never throws, and places every problem inside the text", () => {
    const check = (source: string | Uint8Array, lines: number): void => {
      for (const strict of [true, false]) {
        const result = parseManifest(source, { strict });
        for (const problem of result.ok ? result.warnings : result.problems) {
          expect(problem.line).toBeGreaterThan(0);
          expect(problem.line).toBeLessThanOrEqual(lines);
          expect(problem.column).toBeGreaterThan(0);
          expect(Object.hasOwn(MANIFEST_ERRORS, problem.code)).toBe(true);
          expect(problem.code).not.toBe("MANIFEST_CHECK_FAILED");
          expect(problem.message).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        }
      }
    };
    fc.assert(
      fc.property(fragments, fc.boolean(), (parts, withStart) => {
        const text = (withStart ? PLUGIN : "") + parts.join("");
        check(text, text.split("\n").length);
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => check(bytes, 65)));
  });

  it("never throws for any schema, and answers the schema unchanged when it accepts it", () => {
    const keyword = fc.constantFrom(
      ..."type $ref $defs properties items allOf pattern enum const uniqueItems maxItems $id not required".split(
        " ",
      ),
    );
    const value = fc.letrec((tie) => ({
      schema: fc.oneof(fc.boolean(), fc.dictionary(keyword, tie("any"), { maxKeys: 3 })),
      any: fc.oneof(
        fc.constantFrom("string", "#/$defs/type", "^a+$", "(", 1, -1, null, true),
        tie("schema"),
        fc.array(tie("schema"), { maxLength: 2 }),
      ),
    })).schema;
    fc.assert(
      fc.property(value, (schema) => {
        const result = parseManifest(withSchema(schema));
        const codes = result.ok ? [] : result.problems.map((problem) => problem.code);
        expect(codes).not.toContain("MANIFEST_CHECK_FAILED");
        expect(result.ok ? result.manifest.functions["f"]?.input : schema).toEqual(schema);
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with the yaml package about plain data", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (data) => {
        const text = withSchema({ enum: [data] });
        const result = parseManifest(text);
        if (!result.ok) return;
        const reference = parse(text) as { functions: { f: { input: unknown } } };
        expect(result.manifest.functions["f"]?.input).toEqual(reference.functions.f.input);
      }),
    );
  });
});
