import {
  encodeCsvField,
  encodeHeaderValue,
  encodeScriptString,
  encodeUrlComponent,
} from "@glovebox/core/encode";
import fc from "fast-check";
import { expect, test } from "vitest";

const text = fc.string({ unit: "binary" });

test("a URL component stays one component and reads back", () => {
  fc.assert(
    fc.property(text, (raw) => {
      const encoded = encodeUrlComponent(raw);
      expect(encoded).toMatch(/^[A-Za-z0-9\-._~%]*$/);
      expect(decodeURIComponent(encoded)).toBe(raw.toWellFormed());
    }),
  );
});

test("a script's string ends neither itself nor its element, and reads back", () => {
  fc.assert(
    fc.property(text, (raw) => {
      const encoded = encodeScriptString(raw);
      expect(encoded).not.toMatch(/["'`<>&$\n\r\u2028\u2029/]/);
      expect(JSON.parse(`"${encoded}"`)).toBe(raw);
    }),
  );
});

test("a header's value is one line of ASCII without edges of space, and reads back", () => {
  fc.assert(
    fc.property(text, (raw) => {
      const encoded = encodeHeaderValue(raw);
      expect(encoded).toMatch(/^(?:[!-~](?:[ -~]*[!-~])?)?$/);
      expect(decodeURIComponent(encoded)).toBe(raw.toWellFormed());
    }),
  );
});

test("a field of a table is one field, whatever is in it", () => {
  fc.assert(
    fc.property(text, (raw) => {
      const inner = encodeCsvField(raw).slice(1, -1);
      expect(inner.replaceAll('""', "")).not.toContain('"');
    }),
  );
});

test.each(["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1"])(
  "the formula %j becomes text",
  (formula) => {
    expect(encodeCsvField(formula)).toBe(`"'${formula}"`);
  },
);

test.each(["-5", "+1.5", "12", "a=b"])("%j stays as it is", (value) => {
  expect(encodeCsvField(value)).toBe(`"${value}"`);
});
