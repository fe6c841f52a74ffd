/** @module The one visible form of characters that must not act: `\u{hex}`, as in ECMAScript. */

/** Replaces each match of a global pattern by its code point as `\u{hex}`. */
export function makeVisible(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, escapeCodePoint);
}

function escapeCodePoint(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`;
}
