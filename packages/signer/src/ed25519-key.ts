/**
 * @module Ed25519 (RFC 8032), strictly. Node.js before 26 accepts public keys of small order, under
 * which one signature fits every message, so that such keys and non-canonical encodings are refused
 * here, in keys and in signatures alike, on every version.
 */
import { createPrivateKey, createPublicKey, hash, type KeyObject, verify } from "node:crypto";

import { received } from "@glovebox/core/errors";
import type { Sha256 } from "@glovebox/core/ids";

import { SignerError } from "./errors.ts";

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
  littleEndian(
    Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex"),
  ),
  littleEndian(
    Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex"),
  ),
]);

const POINT_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** A public key that passed every check, with its id. */
export interface Ed25519PublicKey {
  readonly keyId: Sha256;
  readonly key: KeyObject;
}

/**
 * Takes a public key as `KeyObject` or as SPKI in PEM.
 *
 * @throws {@link SignerError} (`SIGNER_KEY`) for a private key, another algorithm or a weak key.
 */
export function publicKeyOf(source: KeyObject | string): Ed25519PublicKey {
  // createPublicKey() would quietly derive the public half of a private key, which has no business
  // in a trust policy.
  const isPublic =
    typeof source === "string"
      ? source.trimStart().startsWith("-----BEGIN PUBLIC KEY-----")
      : source.type === "public";
  if (!isPublic) throw keyError("expected a public key in SPKI, as KeyObject or PEM");
  const key = typeof source === "string" ? parse(() => createPublicKey(source)) : source;
  return { keyId: keyIdOf(key), key };
}

/**
 * Takes a private key as `KeyObject` or as PKCS #8 in PEM.
 *
 * @throws {@link SignerError} (`SIGNER_KEY`)
 */
export function privateKeyOf(source: KeyObject | string): Ed25519PublicKey {
  const key = typeof source === "string" ? parse(() => createPrivateKey(source)) : source;
  if (key.type !== "private") throw keyError("expected a private key, as KeyObject or PEM");
  return { keyId: keyIdOf(createPublicKey(key)), key };
}

/** Whether `signature` over `message` was made with `publicKey`; never throws. */
export function verifyEd25519(
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  if (isWeakPoint(signature.subarray(0, POINT_BYTES))) return false;
  // S is attacker-controlled: S + L would be a second signature for the same message.
  if (littleEndian(signature.subarray(POINT_BYTES)) >= L) return false;
  return verify(null, message, publicKey, signature);
}

/** SHA-256 of the SubjectPublicKeyInfo (RFC 5280 section 4.1) of a key that passed every check. */
function keyIdOf(publicKey: KeyObject): Sha256 {
  if (publicKey.asymmetricKeyType !== "ed25519") {
    throw keyError(`expected an Ed25519 key; received ${received(publicKey.asymmetricKeyType)}`);
  }
  const spki = publicKey.export({ format: "der", type: "spki" });
  if (isWeakPoint(spki.subarray(-POINT_BYTES))) {
    throw keyError("the public key is a point of small order or not canonical");
  }
  return hash("sha256", spki) as Sha256;
}

/** Whether an encoded point is of small order or encodes a coordinate that is not reduced. */
function isWeakPoint(encoded: Uint8Array): boolean {
  const y = littleEndian(encoded) & MASK_255;
  return y >= P || SMALL_ORDER_Y.has(y);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex")}`);
}

function parse(read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch (cause) {
    // The message of the cause may quote the key.
    throw keyError("expected a key in PEM; it could not be read", cause);
  }
}

function keyError(message: string, cause?: unknown): SignerError {
  return new SignerError("SIGNER_KEY", { message, cause });
}
