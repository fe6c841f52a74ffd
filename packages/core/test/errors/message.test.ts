import { received, sanitizeForMessage } from "@glovebox/core/errors";
import fc from "fast-check";
import { expect, it } from "vitest";

it("makes any text one well-formed line of at most 2,000 characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 4_000 }), (text) => {
      const message = sanitizeForMessage(text);
      expect(message.length).toBeLessThanOrEqual(2_000);
      expect(message.isWellFormed()).toBe(true);
      expect(message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    }),
  );
});

it("does not halve a character when it cuts", () => {
  expect(sanitizeForMessage(`${"a".repeat(1_998)}😀😀`)).toBe(`${"a".repeat(1_998)}…`);
});

it("escapes half of a surrogate pair, which no log could hold", () => {
  expect(sanitizeForMessage("a\ud800b")).toBe("a\\u{d800}b");
});

it("quotes what was received, or says what it was", () => {
  expect(received('say "hi"\n')).toBe(String.raw`"say \"hi\"\n"`);
  expect(received("\u202egnp.exe")).toBe(String.raw`"\u{202e}gnp.exe"`);
  expect([null, 1.5, true, 3n, [1, 2], undefined, {}, () => 1].map(received)).toEqual([
    "null",
    "1.5",
    "true",
    "3n",
    "an array of 2",
    "nothing",
    "an object",
    "a function",
  ]);
  expect(received("x".repeat(10_000)).length).toBeLessThanOrEqual(202);
});
