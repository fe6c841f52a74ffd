/** @module CWE-1321: keys that mean something to JavaScript objects. */
import { parseManifest } from "@glovebox/manifest-validator";
import { expect, it } from "vitest";

import { codesOf, PLUGIN } from "../manifest-text.ts";

it("refuses __proto__ anywhere and changes no prototype", () => {
  const text = `${PLUGIN}functions: { f: { input: { const: { "__proto__": { polluted: true } } } } }\n"__proto__": {}\n`;
  expect(codesOf(text)).toEqual(["MANIFEST_YAML_FEATURE", "MANIFEST_YAML_FEATURE"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

it("takes constructor, toString and hasOwnProperty as the plain names that they are", () => {
  const result = parseManifest(
    `${PLUGIN}functions: { constructor: { input: { properties: { hasOwnProperty: true, toString: true } } } }`,
  );
  expect(result.ok && Object.keys(result.manifest.functions)).toEqual(["constructor"]);
  expect(codesOf(`${PLUGIN}constructor: {}`)).toEqual(["MANIFEST_UNKNOWN_KEY"]);
  expect(codesOf("plugin: { constructor: 1 }")).toContain("MANIFEST_UNKNOWN_KEY");
});
