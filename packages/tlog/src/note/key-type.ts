/**
 * @module The types of keys that sign notes, as one table: Ed25519 over the text (01), timestamped
 * Ed25519 cosignatures (04) and timestamped ML-DSA-44 cosignatures (06) of C2SP signed-note and
 * tlog-cosignature. What is signed differs, so that a signature of one type is none of another.
 */
import { createPublicKey, hash, type KeyObject, verify as verifySignature } from "node:crypto";

import { MAX_NAME_BYTES } from "../limits.ts";
import { isWeakEd25519Key, isWeakEd25519Signature } from "./weak-ed25519.ts";

/** 01: a log's own signature; 04 and 06: cosignatures, of which 06 may also be a log's. */
export type KeyType = 0x01 | 0x04 | 0x06;

/** One type of key. */
export interface KeyTypeEntry {
  readonly name: string;
  readonly algorithm: "ed25519" | "ml-dsa-44";
  readonly publicKeyBytes: number;
  /** Bytes of the signature proper. */
  readonly signatureBytes: number;
  /** Whether eight bytes of time stand before the signature. */
  readonly isTimestamped: boolean;
  /** DER of a SubjectPublicKeyInfo before the key (RFC 8410; RFC 9881). */
  readonly spkiPrefix: string;
  /** What is signed; `undefined` if the text is not of the form that the type demands. */
  readonly message: (name: string, text: string, timestamp: bigint) => Buffer | undefined;
}

const ED25519 = {
  algorithm: "ed25519",
  publicKeyBytes: 32,
  signatureBytes: 64,
  spkiPrefix: "302a300506032b6570032100",
} as const;

/** Every type that is understood. */
export const KEY_TYPES: Readonly<Record<KeyType, KeyTypeEntry>> = {
  0x01: {
    ...ED25519,
    name: "Ed25519",
    isTimestamped: false,
    message: (_name, text) => Buffer.from(text),
  },
  0x04: {
    ...ED25519,
    name: "Ed25519 cosignature",
    isTimestamped: true,
    message: (_name, text, timestamp) => Buffer.from(`cosignature/v1\ntime ${timestamp}\n${text}`),
  },
  0x06: {
    name: "ML-DSA-44 cosignature",
    algorithm: "ml-dsa-44",
    publicKeyBytes: 1312,
    signatureBytes: 2420,
    spkiPrefix: "30820532300b06096086480165030403110382052100",
    isTimestamped: true,
    message: subtreeMessage,
  },
};

/** Whether a byte names a type that is understood. */
export function isKeyType(byte: number): byte is KeyType {
  return Object.hasOwn(KEY_TYPES, byte);
}

/** Key id of signed-note: SHA-256(name || 0x0A || type || key), its first four bytes. */
export function keyIdOf(name: string, type: KeyType, publicKey: Uint8Array): number {
  const head = Buffer.from(`${name}\n`);
  return hash(
    "sha256",
    Buffer.concat([head, Buffer.from([type]), publicKey]),
    "buffer",
  ).readUInt32BE(0);
}

/** A public key from its bytes; `undefined` for a weak one, or if this Node.js lacks the algorithm. */
export function importPublicKey(type: KeyType, bytes: Uint8Array): KeyObject | undefined {
  const { algorithm, publicKeyBytes, spkiPrefix } = KEY_TYPES[type];
  if (bytes.length !== publicKeyBytes) return undefined;
  if (algorithm === "ed25519" && isWeakEd25519Key(bytes)) return undefined;
  try {
    const der = Buffer.concat([Buffer.from(spkiPrefix, "hex"), bytes]);
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** The bytes of a public key, as they stand in a vkey. */
export function exportPublicKey(type: KeyType, key: KeyObject): Buffer | undefined {
  const { algorithm, publicKeyBytes } = KEY_TYPES[type];
  if (key.asymmetricKeyType !== algorithm) return undefined;
  return key.export({ format: "der", type: "spki" }).subarray(-publicKeyBytes);
}

/** Whether the signature is the key's over the message. Both are attacker-controlled. */
export function verifies(
  type: KeyType,
  key: KeyObject,
  message: Buffer,
  signature: Buffer,
): boolean {
  const { algorithm, signatureBytes } = KEY_TYPES[type];
  if (signature.length !== signatureBytes) return false;
  if (algorithm === "ed25519" && isWeakEd25519Signature(signature)) return false;
  return verifySignature(null, message, key, signature);
}

/** `cosigned_message` of tlog-cosignature, for the whole tree of a checkpoint. */
function subtreeMessage(name: string, text: string, timestamp: bigint): Buffer | undefined {
  const [origin = "", size = "", root = ""] = text.split("\n");
  const nameBytes = Buffer.from(name);
  const originBytes = Buffer.from(origin);
  const hashBytes = Buffer.from(root, "base64");
  const areNames = [nameBytes, originBytes].every(
    ({ length }) => length >= 1 && length <= MAX_NAME_BYTES,
  );
  if (!areNames || hashBytes.length !== 32 || !/^(0|[1-9]\d{0,15})$/.test(size)) return undefined;
  return Buffer.concat([
    Buffer.from("subtree/v1\n\0"),
    Buffer.from([nameBytes.length]),
    nameBytes,
    uint64(timestamp),
    Buffer.from([originBytes.length]),
    originBytes,
    uint64(0n),
    uint64(BigInt(size)),
    hashBytes,
  ]);
}

/** Eight bytes, big-endian. */
export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
