/**
 * @module Text for the value of a header field (CWE-113, RFC 9110 section 5.5): no line break, no
 * control character, nothing but ASCII.
 */

/**
 * Encodes text for a field value: visible ASCII and inner spaces stay, everything else and `%` become
 * percent form of UTF-8, which `decodeURIComponent` reads back.
 *
 * @example
 * ```ts
 * encodeHeaderValue("ok\r\nSet-Cookie: a=b"); // "ok%0D%0ASet-Cookie: a=b"
 * ```
 */
export function encodeHeaderValue(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\u0020-\u0024\u0026-\u007e]|^ +| +$/gu, (part) =>
      part.startsWith(" ") ? "%20".repeat(part.length) : encodeURIComponent(part),
    );
}
