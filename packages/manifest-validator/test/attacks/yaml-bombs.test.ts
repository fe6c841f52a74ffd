/** @module CWE-776 (aliases that multiply), CWE-674 (depth), CWE-400 (size), by text alone. */
import { parseManifest } from "@glovebox/manifest-validator";
import { describe, expect, it } from "vitest";

import { codesOf, PLUGIN } from "../manifest-text.ts";

const SIZE = 262_144;

describe("a manifest made to exhaust the host", () => {
  it("cannot multiply itself through aliases", () => {
    const bomb = Array.from({ length: 20 }, (_, level) =>
      level === 0 ? "a0: &a0 [x, x]" : `a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`,
    ).join("\n");
    expect(new Set(codesOf(PLUGIN + bomb))).toEqual(new Set(["MANIFEST_YAML_FEATURE"]));
  });

  it.each(["[", "{a: ", "- ", "? ", "a: "])("cannot exhaust the stack with %j", (open) => {
    const text = open.repeat(SIZE / open.length);
    expect(codesOf(text)).toEqual(["MANIFEST_SIZE"]);
  });

  it.each(["\n", "[,", '""', "a: 1\n", "!a ", "&a ", "*a ", "# x\n", "- a\n"])(
    "cannot make the parser work on %j for long",
    (unit) => {
      const result = parseManifest(unit.repeat(SIZE / unit.length));
      expect(result.ok).toBe(false);
    },
  );

  it("is refused by its size before anything decodes or parses it", () => {
    expect(codesOf("#".repeat(SIZE + 1))).toEqual(["MANIFEST_SIZE"]);
    expect(codesOf(new Uint8Array(SIZE + 1).fill(0xff))).toEqual(["MANIFEST_SIZE"]);
    expect(codesOf("é".repeat(SIZE / 2 + 1))).toEqual(["MANIFEST_SIZE"]);
    expect(codesOf(`${PLUGIN}#${"x".repeat(SIZE - PLUGIN.length - 1)}`)).toEqual([]);
  });

  it("cannot hold more marks or more values than the bounds, be it valid otherwise", () => {
    const listOf = (count: number): string =>
      `${PLUGIN}functions: { f: { input: { const: [${Array.from({ length: count }, () => 1).join()}] } } }`;
    expect(codesOf(listOf(10_000))).toEqual([]);
    expect(codesOf(listOf(16_000))).toEqual(["MANIFEST_SIZE"]);
    expect(codesOf(PLUGIN + "\n".repeat(50_000))).toEqual([]);
    expect(codesOf(PLUGIN + "\n".repeat(100_000))).toEqual(["MANIFEST_SIZE"]);
  });

  it("accepts 64 levels and refuses 65", () => {
    const nested = (levels: number): string =>
      `${PLUGIN}functions: { f: { input: { const: ${"[".repeat(levels)}${"]".repeat(levels)} } } }`;
    expect(codesOf(nested(60))).toEqual([]);
    expect(codesOf(nested(61))).toEqual(["MANIFEST_SIZE"]);
  });
});
