/** @module JSON for a terminal or a file: nothing in it acts on who reads it (CWE-150). */

/** Legal in JSON text only within strings, so that each can become an escape there. */
const UNSAFE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The same JSON value, with what could drive a terminal or hide from its reader escaped. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
