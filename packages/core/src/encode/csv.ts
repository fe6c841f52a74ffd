/**
 * @module Text for one field of comma-separated values (RFC 4180). A spreadsheet reads some fields as
 * formulas, which may run programs or send data away (CWE-1236).
 */

const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
const FORMULA = /^[=+\-@\t\r]/;

/**
 * Encodes text for a field, quoted. What a spreadsheet would take for a formula begins with an
 * apostrophe, which it shows as text; numbers stay numbers.
 *
 * @example
 * ```ts
 * encodeCsvField('=HYPERLINK("http://evil")'); // '"\'=HYPERLINK(""http://evil"")"'
 * ```
 */
export function encodeCsvField(text: string): string {
  const isFormula = FORMULA.test(text.trimStart()) && !NUMBER.test(text);
  return `"${isFormula ? "'" : ""}${text.replaceAll('"', '""')}"`;
}
