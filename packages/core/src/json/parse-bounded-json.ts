/**
 * @module JSON from untrusted sources, within bounds (RFC 8259, and RFC 7493 where RFC 8259 leaves a
 * choice). Threats: memory and stack exhaustion (CWE-400, CWE-674), prototype pollution (CWE-1321),
 * and two readers that understand one text differently (duplicate keys, rounded numbers, repaired
 * Unicode), which lets a checked value differ from the used one.
 */
import { type Decision, allow, failClosed } from "../decision/index.ts";
import { decodeText } from "./decode-text.ts";
import { JsonReader } from "./json-reader.ts";
import { JsonStop } from "./json-stop.ts";
import { type JsonLimits, parseJsonLimits } from "./limits.ts";
import type { JsonValue } from "./value.ts";

/**
 * Reads a JSON text. What is allowed equals what `JSON.parse` makes of it; besides bad syntax and
 * what exceeds `limits`, these are refused: invalid UTF-8, a byte order mark, half surrogate pairs,
 * duplicate keys, `__proto__` as a key, numbers that overflow or vanish (1e400, 1e-400), and
 * integers beyond ±(2^53−1) written in digits. The reason names line and column.
 *
 * @throws {@link CoreError} (`CORE_OPTION`) when a limit is out of range; never for the text.
 * @example
 * ```ts
 * const decision = parseBoundedJson(body, { maxBytes: 65_536 });
 * if (!decision.allowed) return problem(400, decision.code, decision.reason);
 * ```
 */
export function parseBoundedJson(
  source: string | Uint8Array,
  limits: JsonLimits = {},
): Decision<JsonValue> {
  const bounds = parseJsonLimits(limits);
  return failClosed("json.text", () => {
    try {
      return allow("json.text", new JsonReader(decodeText(source, bounds.maxBytes), bounds).read());
    } catch (error) {
      if (error instanceof JsonStop) return error.refusal;
      throw error;
    }
  });
}
