/**
 * @module Text for one line of a log (CWE-117). Plugin text must not begin a second line, nor change
 * how the first one looks.
 */
import { makeVisible } from "./visible.ts";

/**
 * C0, DEL and C1 (`Cc`), line and paragraph separators (`Zl`, `Zp`), half surrogate pairs (`Cs`),
 * which have no UTF-8 form, bidirectional controls, and the byte order mark.
 */
const UNSAFE_IN_LOG = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\ufeff]/gu;

/**
 * Escapes what could forge or reorder a log line, as `\u{hex}`; line feed and tab too.
 * Text without such characters comes back as it is. A backslash stays, so the result is for reading
 * and not for decoding.
 *
 * @example
 * ```ts
 * encodeLogLine("ok\nadmin logged in"); // "ok\\u{a}admin logged in"
 * ```
 */
export function encodeLogLine(text: string): string {
  return makeVisible(text, UNSAFE_IN_LOG);
}
