/** @module Base64 (RFC 4648 section 4) without Node's leniency: each value has one spelling. */

/** The bytes of canonical, padded base64; `undefined` for anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
