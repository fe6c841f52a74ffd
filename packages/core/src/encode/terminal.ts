/**
 * @module Text for a terminal (CWE-150), where a person reads a name and decides: no character may
 * drive the terminal, and none may be invisible.
 */
import { makeVisible } from "./visible.ts";

/**
 * As in a log line, and every format character (`Cf`): the bidirectional controls, zero-width
 * spaces and joiners, soft hyphens, and the tag characters that hide whole sentences.
 */
const UNSAFE_ON_TERMINAL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Escapes what could drive a terminal or hide from its reader, as `\u{hex}`; line feed and tab too,
 * so that the text stays where it was put: encode line by line what may have several lines. Emoji
 * that are joined from several show their joiners.
 *
 * @example
 * ```ts
 * encodeTerminal("\u001b[2Jall good"); // "\\u{1b}[2Jall good"
 * ```
 */
export function encodeTerminal(text: string): string {
  return makeVisible(text, UNSAFE_ON_TERMINAL);
}
