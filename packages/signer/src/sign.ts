/**
 * @module Making keys and signatures. Signing is deterministic (RFC 8032): the same files, plugin,
 * version and key give the same bytes, so that a build can be repeated and compared.
 */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

import type { Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { parsePluginId, type Sha256 } from "@glovebox/core/ids";

import { privateKeyOf, publicKeyOf } from "./ed25519-key.ts";
import { encodeEnvelope, preAuthenticationEncoding } from "./envelope.ts";
import { SIGNER_ERRORS, SignerError, type SignerErrorCode } from "./errors.ts";
import { listFiles } from "./file-list.ts";
import { MAX_VERSION_CHARACTERS } from "./limits.ts";
import { encodeStatement } from "./statement.ts";

/** A new key pair; keep `privateKey` where only the publisher can read it. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  /** SHA-256 of the public key's SPKI. */
  readonly keyId: Sha256;
}

/** What is signed besides the files. */
export interface SignOptions {
  /** The plugin's id as in its manifest. */
  readonly pluginId: string;
  /** The plugin's version as in its manifest; 1–256 characters. */
  readonly version: string;
  /** An Ed25519 private key as `KeyObject` or PKCS #8 in PEM. The key id follows from it. */
  readonly privateKey: KeyObject | string;
}

/** Makes an Ed25519 key pair. */
export function generateKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return Object.freeze({ publicKey, privateKey, keyId: publicKeyOf(publicKey).keyId });
}

/**
 * Signs the closed list of a package's files and answers the bytes of `plugin.sigstore.json`. A
 * file of that name in `files` is left out, so that a signed package can be signed again.
 *
 * @throws {@link SignerError} (`SIGNER_OPTION`, `SIGNER_KEY`, `SIGNER_PATH`, `SIGNER_FILE_COUNT`)
 *
 * @example
 * ```ts
 * const { privateKey } = generateKeyPair();
 * const files = new Map([["plugin.yaml", manifest], ["plugin.wasm", wasm]]);
 * const signature = signPackage(files, { pluginId: "rate-table", version: "1.2.0", privateKey });
 * ```
 */
export function signPackage(
  files: ReadonlyMap<string, Uint8Array>,
  { pluginId, version, privateKey }: SignOptions,
): Uint8Array {
  const id = parsePluginId(pluginId);
  if (!id.allowed) throw new SignerError("SIGNER_OPTION", { message: id.reason });
  if (typeof version !== "string" || !/^.+$/u.test(version) || !version.isWellFormed()) {
    throw versionError(version);
  }
  if (version.length > MAX_VERSION_CHARACTERS) throw versionError(version);
  const { key, keyId } = privateKeyOf(privateKey);
  const list = listFiles(files);
  if (!list.allowed) throw errorOf(list);
  const payload = encodeStatement({ pluginId, version, files: list.value });
  const signature = sign(null, preAuthenticationEncoding(payload), key);
  return encodeEnvelope({ payload, signatures: [{ keyId, signature }] });
}

function versionError(version: unknown): SignerError {
  return new SignerError("SIGNER_OPTION", {
    message: `a version is 1–${MAX_VERSION_CHARACTERS} characters; received ${received(version)}`,
  });
}

function errorOf({ code, reason }: Refusal): SignerError {
  const known = Object.hasOwn(SIGNER_ERRORS, code) ? (code as SignerErrorCode) : "SIGNER_OPTION";
  return new SignerError(known, { message: reason });
}
