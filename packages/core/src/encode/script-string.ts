/**
 * @module Text inside a quoted string of JavaScript or JSON in a page (CWE-79): neither the string nor
 * the `<script>` around it may end, in any of the three kinds of quotes.
 */

/**
 * Encodes text for the inside of a quoted string; the quotes are the caller's. All but letters,
 * digits and a few marks become `\uXXXX`, which JavaScript and JSON read alike.
 *
 * @example
 * ```ts
 * encodeScriptString("</script>"); // "\\u003c\\u002fscript\\u003e"
 * ```
 */
export function encodeScriptString(text: string): string {
  return text.replace(/[^A-Za-z0-9 ,._-]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
