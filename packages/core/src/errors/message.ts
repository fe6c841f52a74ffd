/**
 * @module Text that came from outside, made fit for an error message: one line, bounded, and
 * without characters that could forge a log line or drive a terminal (CWE-117, CWE-150).
 */

const MAX_MESSAGE_CHARACTERS = 2_000;
const MAX_RECEIVED_CHARACTERS = 200;

// C0, DEL, C1, line and paragraph separators, bidirectional controls, byte order mark.
// oxlint-disable-next-line no-control-regex -- these are the characters to be escaped
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Escapes unsafe characters as `\u{hex}` and cuts at 2,000 characters. */
export function sanitizeForMessage(text: string): string {
  return cut(text, MAX_MESSAGE_CHARACTERS).replace(UNSAFE, escapeCharacter);
}

/**
 * Quotes a received value for a message: JSON-like, unsafe characters escaped, cut at 200
 * characters. The value is attacker-controlled.
 */
export function received(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(cut(value, MAX_RECEIVED_CHARACTERS)) : describe(value);
  return cut(text, MAX_RECEIVED_CHARACTERS + 2).replace(UNSAFE, escapeCharacter);
}

function describe(value: unknown): string {
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === undefined) return "nothing";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

function escapeCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`;
}
