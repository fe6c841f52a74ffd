/** @module Verifier keys (C2SP signed-note): `<name>+<key id in hex>+base64(<type><public key>)`. */
import type { KeyObject } from "node:crypto";

import { allow, type Decision, type Refusal, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { MAX_NAME_BYTES, MAX_VKEY_CHARACTERS } from "../limits.ts";
import { decodeBase64 } from "./base64.ts";
import { importPublicKey, isKeyType, KEY_TYPES, keyIdOf, type KeyType } from "./key-type.ts";
import { isKeyName } from "./note.ts";

/** A key that is trusted to sign notes. */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: number;
  readonly type: KeyType;
  readonly publicKey: KeyObject;
  /** The text that it was read from. */
  readonly vkey: string;
}

/** Reads a vkey; weak keys are refused, and ML-DSA-44 where this Node.js has it not. */
export function parseVerifierKey(raw: string): Decision<VerifierKey> {
  if (raw.length > MAX_VKEY_CHARACTERS) return malformed(raw, "it is too long");
  // The name holds no plus, the base64 may: only the first two of them divide.
  const [, name = "", rawId = "", base64 = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(raw) ?? [];
  if (!isKeyName(name) || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    return malformed(raw, "name+id+key is expected");
  }
  const bytes = decodeBase64(base64);
  const [type] = bytes ?? [];
  if (bytes === undefined || type === undefined || !isKeyType(type)) {
    return malformed(raw, "it is not a key of type 01, 04 or 06 in base64");
  }
  const keyBytes = bytes.subarray(1);
  const keyId = keyIdOf(name, type, keyBytes);
  if (keyId !== Number.parseInt(rawId, 16)) return malformed(raw, "its id is not that of its key");
  const publicKey = importPublicKey(type, keyBytes);
  if (publicKey === undefined) {
    return malformed(
      raw,
      `it is no ${KEY_TYPES[type].name} key, a weak one, or unknown to this Node.js`,
    );
  }
  return allow("tlog.key", Object.freeze({ name, keyId, type, publicKey, vkey: raw }));
}

/** Writes a vkey. */
export function formatVerifierKey(name: string, type: KeyType, publicKey: Uint8Array): string {
  const id = keyIdOf(name, type, publicKey).toString(16).padStart(8, "0");
  return `${name}+${id}+${Buffer.concat([Buffer.from([type]), publicKey]).toString("base64")}`;
}

function malformed(raw: string, problem: string): Refusal {
  return refuse(
    "TLOG_KEY",
    "tlog.key",
    `not a verifier key: ${problem}; received ${received(raw)}`,
  );
}
