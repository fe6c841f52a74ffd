import {
  encodeHtmlAttribute,
  encodeHtmlText,
  encodeLogLine,
  encodeTerminal,
} from "@glovebox/core/encode";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** What must not survive, written as code points and not as the patterns of the source. */
function isActing(codePoint: number): boolean {
  return (
    codePoint <= 0x1f ||
    (codePoint >= 0x7f && codePoint <= 0x9f) ||
    (codePoint >= 0xd800 && codePoint <= 0xdfff) ||
    [0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff].includes(codePoint) ||
    (codePoint >= 0x202a && codePoint <= 0x202e) ||
    (codePoint >= 0x2066 && codePoint <= 0x2069)
  );
}

const ACTING = Array.from({ length: 0x1_0000 }, (_, codePoint) => codePoint).filter(isActing);
const ENCODERS = { encodeHtmlAttribute, encodeHtmlText, encodeLogLine, encodeTerminal };
const LAYOUT = [0x09, 0x0a];

describe.each(Object.entries(ENCODERS))("%s", (name, encode) => {
  const keptLayout = name === "encodeHtmlText" ? LAYOUT : [];

  it("lets no control, separator, bidirectional control or half pair through", () => {
    const survivors = ACTING.filter((codePoint) => {
      const character = String.fromCodePoint(codePoint);
      return encode(`a${character}b`).includes(character);
    });
    expect(survivors).toEqual(keptLayout);
  });

  it("lets none through from any text, in which they may stand together", () => {
    const unit = fc.oneof(
      fc.constantFrom(...ACTING).map((codePoint) => String.fromCodePoint(codePoint)),
      fc.constantFrom(...Array.from("<>&\"'`\\ax€")),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const survivors = Array.from(encode(text), (character) => character.codePointAt(0) ?? 0);
        const acting = survivors.filter(isActing).filter((found) => !keptLayout.includes(found));
        expect(acting).toEqual([]);
      }),
    );
  });

  it("changes nothing in safe text, so encoding it twice is encoding it once", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...Array.from("abc XYZ 019 äß€中😀 .,;:!?()[]{}/\\|-_=+*#%$@^~")),
        }),
        (text) => {
          expect(encode(text)).toBe(text);
        },
      ),
    );
  });
});

it("encodes each medium for what is special in it", () => {
  expect(encodeHtmlText(`<b title="x">&amp;</b>\n`)).toBe(
    `&lt;b title="x"&gt;&amp;amp;&lt;/b&gt;\n`,
  );
  expect(encodeHtmlAttribute(`" onload='x' \`\t\n<>&`)).toBe(
    "&quot; onload=&#39;x&#39; &#96;&#9;&#10;&lt;&gt;&amp;",
  );
  expect(encodeLogLine("a\r\nb\u001b[0m<")).toBe(String.raw`a\u{d}\u{a}b\u{1b}[0m<`);
  expect(encodeTerminal("\u009b2J\u007f")).toBe(String.raw`\u{9b}2J\u{7f}`);
});

it("shows on a terminal what would be invisible", () => {
  expect(encodeTerminal("pay\u200bpal\u00ad \u{e0041}")).toBe(
    String.raw`pay\u{200b}pal\u{ad} \u{e0041}`,
  );
});

it("is idempotent for logs and terminals, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(encodeLogLine(encodeLogLine(text))).toBe(encodeLogLine(text));
      expect(encodeTerminal(encodeTerminal(text))).toBe(encodeTerminal(text));
    }),
  );
});
