/** @module CWE-116, CWE-1007: bytes and characters that make two readers see two manifests. */
import { parseManifest } from "@glovebox/manifest-validator";
import { describe, expect, it } from "vitest";

import { codesOf, PLUGIN, withPlugin } from "../manifest-text.ts";

describe("a manifest that hides something", () => {
  it.each([
    [0xff, 0xfe],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
  ])("is refused when its bytes are not UTF-8", (...bytes) => {
    expect(codesOf(Uint8Array.from([...Buffer.from(PLUGIN), ...bytes]))).toEqual([
      "MANIFEST_ENCODING",
    ]);
  });

  it.each(["\ufeff", "\u0000", "\u0008", "\u007f", "\u009b", "\ud800", "\udc00", "\uffff"])(
    "is refused where it holds the raw character %j",
    (character) => {
      const result = parseManifest(`${PLUGIN}# ${character}`);
      expect(result).toMatchObject({
        ok: false,
        problems: [{ code: "MANIFEST_ENCODING", line: 2, column: 3 }],
      });
    },
  );

  it.each(["\u202e", "\u2066", "\u0000", "\u001b[31m", "\r\n", "\u2028", "\ud800"])(
    "cannot carry the escaped character %j into a name that people read",
    (character) => {
      expect(codesOf(withPlugin({ name: `a${character}b` }))).toEqual(["MANIFEST_TEXT"]);
    },
  );

  it("cannot forge a line of a log with what it is refused for", () => {
    const result = parseManifest(withPlugin({ id: "a\n2026-01-01 ALLOWED\u001b[2K\u202e" }));
    if (result.ok) throw new Error("accepted");
    for (const problem of result.problems) {
      expect(Object.values(problem).join("")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }
  });
});
