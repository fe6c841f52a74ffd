/** @module Signing notes: as a log (type 01) or, with the time of signing, as a witness (04, 06). */
import { createPublicKey, type KeyObject, sign } from "node:crypto";

import { received } from "@glovebox/core/errors";

import { TlogError } from "../errors/tlog-error.ts";
import {
  exportPublicKey,
  importPublicKey,
  KEY_TYPES,
  keyIdOf,
  type KeyType,
  uint64,
} from "./key-type.ts";
import { isKeyName } from "./note.ts";
import { formatVerifierKey } from "./verifier-key.ts";

/** Signs the texts of notes. Where the key is kept elsewhere, `sign` may take its time. */
export interface NoteSigner {
  readonly name: string;
  readonly keyId: number;
  /** For those who verify. */
  readonly vkey: string;
  /** The bytes of a signature line after the key id. */
  sign(text: string): Uint8Array | Promise<Uint8Array>;
}

/** What a signer is made of. */
export interface NoteSignerOptions {
  /** Of a log: its origin. */
  readonly name: string;
  /** Ed25519 for 01 and 04, ML-DSA-44 for 06 (not in Node.js 22). */
  readonly privateKey: KeyObject;
  /** Default 01. A key may serve one type only. */
  readonly type?: KeyType;
}

/**
 * Makes a signer from a private key.
 *
 * @throws {@link TlogError} (`TLOG_OPTION`) for a name that no key may have or a key of another kind.
 */
export function createNoteSigner(
  { name, privateKey, type = 0x01 }: NoteSignerOptions,
  deps: { readonly wallMs?: () => number } = {},
): NoteSigner {
  if (!isKeyName(name)) {
    throw option(`a key's name has no spaces and no plus; received ${received(name)}`);
  }
  const publicKey =
    privateKey.type === "private" ? exportPublicKey(type, createPublicKey(privateKey)) : undefined;
  if (publicKey === undefined || importPublicKey(type, publicKey) === undefined) {
    throw option(`a private key for ${KEY_TYPES[type].name} is expected`);
  }
  const { isTimestamped, message } = KEY_TYPES[type];
  const wallMs = deps.wallMs ?? Date.now;
  return Object.freeze({
    name,
    keyId: keyIdOf(name, type, publicKey),
    vkey: formatVerifierKey(name, type, publicKey),
    sign(text: string): Uint8Array {
      const timestamp = isTimestamped ? BigInt(Math.floor(wallMs() / 1000)) : 0n;
      const signed = message(name, text, timestamp);
      if (signed === undefined) throw option(`${KEY_TYPES[type].name} signs checkpoints only`);
      const signature = sign(null, signed, privateKey);
      return isTimestamped ? Buffer.concat([uint64(timestamp), signature]) : signature;
    },
  });
}

function option(message: string): TlogError {
  return new TlogError("TLOG_OPTION", { message });
}
