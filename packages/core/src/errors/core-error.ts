/**
 * @module The codes of this package. `CORE_*` and `JSON_*` refusals answer untrusted input;
 * `CORE_OPTION` and `JSON_VALUE` are thrown at a programmer. docs/errors/core.md has a heading for
 * each.
 */
import { SecurityError } from "./security-error.ts";
import type { ErrorCodeTable, SecurityErrorOptions } from "./security-error.ts";

/** Every code of this package, with what it means and what to do. */
export const CORE_ERRORS = {
  CORE_CHECK_FAILED: {
    summary: "A check failed itself, so what it guards is refused.",
    advice: "Read the reason for the error that the check met, and repair its cause.",
  },
  CORE_OPTION: {
    summary: "An option has a value that it cannot have.",
    advice: "Pass a value in the documented range.",
  },
  CORE_PLUGIN_ID: {
    summary: "A plugin id is malformed.",
    advice: "Use 1–64 characters of a–z, 0–9 and -.",
  },
  CORE_SHA256: {
    summary: "A SHA-256 digest is malformed.",
    advice: "Write the digest as 64 lower-case hexadecimal digits.",
  },
  CORE_TENANT_ID: {
    summary: "A tenant id is malformed.",
    advice: "Use 1–128 printable ASCII characters without spaces.",
  },
  JSON_BOM: {
    summary: "The JSON text begins with a byte order mark.",
    advice: "Save the text as UTF-8 without a byte order mark.",
  },
  JSON_DEPTH: {
    summary: "The JSON value is nested too deeply.",
    advice: "Flatten the value, or raise maxDepth if the nesting is meant.",
  },
  JSON_DUPLICATE_KEY: {
    summary: "An object in the JSON text has the same key twice.",
    advice: "Remove one of the two members.",
  },
  JSON_ITEM_COUNT: {
    summary: "The JSON text has too many array items.",
    advice: "Split the text, or raise maxItems if the size is meant.",
  },
  JSON_KEY_COUNT: {
    summary: "The JSON text has too many object members.",
    advice: "Split the text, or raise maxKeys if the size is meant.",
  },
  JSON_LONE_SURROGATE: {
    summary: "A JSON string holds half of a surrogate pair.",
    advice: "Write characters beyond U+FFFF as a whole pair, or as UTF-8.",
  },
  JSON_NUMBER_RANGE: {
    summary: "A JSON number cannot be kept: it is too large, too small or too long an integer.",
    advice: "Write integers beyond 2^53-1 as strings.",
  },
  JSON_PROTO_KEY: {
    summary: "An object in the JSON text has the key __proto__.",
    advice: "Rename the member: assigning it would change an object's prototype.",
  },
  JSON_SIZE: {
    summary: "The JSON text has too many bytes.",
    advice: "Send less, or raise maxBytes if the size is meant.",
  },
  JSON_STRING_SIZE: {
    summary: "A JSON string or key has too many bytes.",
    advice: "Shorten the string, or raise maxStringBytes if the size is meant.",
  },
  JSON_SYNTAX: {
    summary: "The text is not JSON.",
    advice: "Correct the text at the line and column that the reason names.",
  },
  JSON_UTF8: {
    summary: "The JSON text is not UTF-8.",
    advice: "Send the text in UTF-8, the only encoding that RFC 8259 allows.",
  },
  JSON_VALUE: {
    summary: "A value has no JSON form.",
    advice: "Pass only null, booleans, finite numbers, strings, arrays and plain objects.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type CoreErrorCode = keyof typeof CORE_ERRORS;

/** Thrown when this package is misused: an option or a value that it cannot take. */
export class CoreError extends SecurityError<CoreErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/core/CoreError");

  constructor(code: CoreErrorCode, options?: SecurityErrorOptions) {
    super(code, CORE_ERRORS[code], options);
  }
}
