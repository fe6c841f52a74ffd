/**
 * @module Text that came from outside, made fit for an error message: one line, bounded, and
 * without characters that could forge a log line or drive a terminal (CWE-117, CWE-150).
 */
import { encodeLogLine } from "../encode/index.ts";

const MAX_MESSAGE_CHARACTERS = 2_000;
const MAX_RECEIVED_CHARACTERS = 200;

/** Escapes unsafe characters as `\u{hex}` and cuts at 2,000 characters. */
export function sanitizeForMessage(text: string): string {
  return boundedLine(text, MAX_MESSAGE_CHARACTERS);
}

/**
 * Quotes a received value for a message: JSON-like, unsafe characters escaped, cut at 200
 * characters. The value is attacker-controlled.
 */
export function received(value: unknown): string {
  if (typeof value !== "string") return boundedLine(describe(value), MAX_RECEIVED_CHARACTERS);
  const quoted = JSON.stringify(cut(value, MAX_RECEIVED_CHARACTERS));
  return boundedLine(quoted, MAX_RECEIVED_CHARACTERS + 2);
}

function describe(value: unknown): string {
  if (value === null || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === undefined) return "nothing";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Cut before escaping, so that the work is bounded, and after, because escapes are longer. */
function boundedLine(text: string, max: number): string {
  return cut(encodeLogLine(cut(text, max)), max);
}

function cut(text: string, max: number): string {
  // A surrogate pair must not be halved: half of one has no UTF-8 form.
  return text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
