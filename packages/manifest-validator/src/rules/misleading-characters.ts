/**
 * @module Characters that have no place in a name or path because a reader could not see what is
 * there: controls, line separators, bidirectional controls ("Trojan Source", CWE-1007), the byte
 * order mark, and lone surrogates, which have no UTF-8 form.
 */

/** Matches one such character anywhere. */
export const MISLEADING_CHARACTERS: RegExp = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u;
