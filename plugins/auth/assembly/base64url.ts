/** @module base64url without padding (RFC 4648 section 5), in its one canonical form. */

/** The bytes, or `null` for anything but the canonical form: one token must have one spelling. */
export function decodeBase64Url(text: string): Uint8Array | null {
  const rest = text.length & 3;
  if (rest == 1) return null;
  const bytes = new Uint8Array((text.length >> 2) * 3 + max(0, rest - 1));
  let bits: u32 = 0;
  let held = 0;
  let to = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = digitOf(text.charCodeAt(at));
    if (digit < 0) return null;
    bits = (bits << 6) | <u32>digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[to++] = <u8>(bits >> held);
    bits &= (1 << held) - 1;
  }
  return bits == 0 ? bytes : null;
}

function digitOf(code: i32): i32 {
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  if (code >= 0x61 && code <= 0x7a) return code - 0x61 + 26;
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 52;
  if (code == 0x2d) return 62;
  return code == 0x5f ? 63 : -1;
}
