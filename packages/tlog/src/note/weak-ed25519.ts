/**
 * @module Weak Ed25519 keys and signatures. Node.js before 26 accepts public keys of small order,
 * under which one signature fits every message; such points, encodings that are not canonical and
 * doubled signatures (S + L) are refused here on every version (RFC 8032; "Taming the many EdDSAs").
 */

/** The prime of the field, 2^255 - 19. */
const P = (1n << 255n) - 19n;
/** The order of the base point. */
const L = (1n << 252n) + 27742317777372353535851937790883648493n;
const MASK_255 = (1n << 255n) - 1n;

/** The y coordinates of the eight points of small order. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  P - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);

/** Whether an encoded point is of small order or not reduced. */
export function isWeakEd25519Key(encoded: Uint8Array): boolean {
  const y = littleEndian(encoded) & MASK_255;
  return y >= P || SMALL_ORDER_Y.has(y);
}

/** Whether R is weak or S not reduced: with S + L there would be two signatures of one text. */
export function isWeakEd25519Signature(signature: Uint8Array): boolean {
  return isWeakEd25519Key(signature.subarray(0, 32)) || littleEndian(signature.subarray(32)) >= L;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex")}`);
}
