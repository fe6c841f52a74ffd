/**
 * @module Deciding whether a package is what a trusted publisher signed. The order is that of
 * trust: envelope, key, signature, and only then what the statement says, compared with what the
 * host read. A package is passed as bytes, so that what was verified is what will run (CWE-367).
 */
import { hash, type KeyObject } from "node:crypto";

import { allow, type Decision, failClosed, refuse, type Refusal } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { Sha256 } from "@glovebox/core/ids";

import { type Ed25519PublicKey, publicKeyOf, verifyEd25519 } from "./ed25519-key.ts";
import { decodeEnvelope, type Envelope, preAuthenticationEncoding } from "./envelope.ts";
import { SignerError } from "./errors.ts";
import { type ListedFile, listFiles, SIGNATURE_FILE } from "./file-list.ts";
import { decodeStatement, type Statement } from "./statement.ts";

/** A key that the operator trusts, and whose it is. */
export interface TrustedKey {
  /** Ed25519, as `KeyObject` or SPKI in PEM. */
  readonly publicKey: KeyObject | string;
  /** The publisher's name for decisions and logs; chosen by the operator, not by the package. */
  readonly identity: string;
}

/** The trust policy. */
export interface VerifierOptions {
  /**
   * `required` (default) refuses what is not signed by a trusted key; `off` checks nothing and is a
   * named loosening.
   */
  readonly mode?: "required" | "off";
  /** Default: none, so that nothing passes. */
  readonly trustedKeys?: readonly TrustedKey[];
}

/** What is to be verified. */
export interface VerifyRequest {
  /** Every file of the package, by path, as read. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /**
   * SHA-256 of these very bytes, by path, where whoever read them has made it already: large files
   * then need not be hashed again while everything waits. Default: each file is hashed.
   */
  readonly digests?: ReadonlyMap<string, Sha256>;
  /** Bytes of the signature. Default: the file `plugin.sigstore.json` in `files`. */
  readonly signature?: Uint8Array;
  /** Id and version as the package's manifest says. */
  readonly pluginId: string;
  readonly version: string;
}

/** Who signed. */
export interface Publisher {
  /** The operator's name for the key. */
  readonly identity: string;
  readonly keyId: Sha256;
  /** SHA-256 of the signed statement, which names plugin, version and every file. */
  readonly digest: Sha256;
}

/** Decides about packages. */
export interface Verifier {
  readonly mode: "required" | "off";
  /**
   * Answers who signed the package. With mode `off` the answer is `undefined` under the rule
   * `signature.off: signatures are off`, whatever the package holds.
   */
  verify(request: VerifyRequest): Decision<Publisher | undefined>;
}

interface Signer extends Ed25519PublicKey {
  readonly identity: string;
}

/**
 * Makes a verifier from a trust policy.
 *
 * @throws {@link SignerError} (`SIGNER_OPTION`, `SIGNER_KEY`)
 *
 * @example
 * ```ts
 * const verifier = createVerifier({ trustedKeys: [{ publicKey: pem, identity: "Example Ltd" }] });
 * const decision = verifier.verify({ files, pluginId: "rate-table", version: "1.2.0" });
 * ```
 */
export function createVerifier(options: VerifierOptions = {}): Verifier {
  const { mode = "required", trustedKeys = [] } = options;
  if (mode !== "required" && mode !== "off") {
    throw new SignerError("SIGNER_OPTION", {
      message: `mode is "required" or "off"; received ${received(mode)}`,
    });
  }
  const signers = signersById(trustedKeys);
  const verify = (request: VerifyRequest): Decision<Publisher | undefined> =>
    mode === "off"
      ? allow("signature.off: signatures are off", undefined)
      : failClosed("signature.required", () => verifyPackage(signers, request));
  return Object.freeze({ mode, verify });
}

function signersById(trustedKeys: readonly TrustedKey[]): ReadonlyMap<string, Signer> {
  const signers = new Map<string, Signer>();
  for (const { publicKey, identity } of trustedKeys) {
    if (typeof identity !== "string" || identity === "") {
      throw new SignerError("SIGNER_OPTION", { message: "a trusted key has an identity" });
    }
    const key = publicKeyOf(publicKey);
    if (signers.has(key.keyId)) {
      const message = `a key is trusted once; received ${received(identity)} with a known key`;
      throw new SignerError("SIGNER_OPTION", { message });
    }
    signers.set(key.keyId, { ...key, identity });
  }
  return signers;
}

function verifyPackage(
  signers: ReadonlyMap<string, Signer>,
  request: VerifyRequest,
): Decision<Publisher> {
  const raw = request.signature ?? request.files.get(SIGNATURE_FILE);
  if (raw === undefined) {
    const reason = `signatures are required, and ${SIGNATURE_FILE} is missing`;
    return refuse("SIGNER_SIGNATURE_MISSING", "signature.required", reason);
  }
  const envelope = decodeEnvelope(raw);
  if (!envelope.allowed) return envelope;
  const signer = findSigner(signers, envelope.value);
  if (!signer.allowed) return signer;
  const statement = decodeStatement(envelope.value.payload);
  if (!statement.allowed) return statement;
  const found = listFiles(request.files, request.digests);
  if (!found.allowed) return found;
  return (
    comparePlugin(statement.value, request) ??
    compareFiles(statement.value.files, found.value) ??
    allow("signature.trusted-key", publisherOf(signer.value, envelope.value))
  );
}

/** The first signature of a trusted key; one that claims a trusted key and fails refuses all. */
function findSigner(
  signers: ReadonlyMap<string, Signer>,
  { payload, signatures }: Envelope,
): Decision<Signer> {
  const message = preAuthenticationEncoding(payload);
  const known = signatures.filter(({ keyId }) => signers.has(keyId));
  let first: Signer | undefined;
  for (const { keyId, signature } of known) {
    const signer = signers.get(keyId);
    if (signer === undefined || !verifyEd25519(signer.key, message, signature)) {
      const reason = `the signature that claims key ${received(keyId)} does not fit the statement`;
      return refuse("SIGNER_SIGNATURE_INVALID", "signature.trusted-key", reason);
    }
    first ??= signer;
  }
  if (first !== undefined) return allow("signature.trusted-key", first);
  const keyIds = signatures.map(({ keyId }) => received(keyId)).join(", ");
  return refuse("SIGNER_KEY_UNKNOWN", "signature.trusted-key", `no trusted key among ${keyIds}`);
}

function comparePlugin(
  signed: Statement,
  { pluginId, version }: VerifyRequest,
): Refusal | undefined {
  if (signed.pluginId === pluginId && signed.version === version) return undefined;
  return refuse(
    "SIGNER_PLUGIN_MISMATCH",
    "signature.plugin",
    `signed was ${received(signed.pluginId)} ${received(signed.version)}; the manifest says ${received(pluginId)} ${received(version)}`,
  );
}

function compareFiles(
  signed: readonly ListedFile[],
  found: readonly ListedFile[],
): Refusal | undefined {
  const digests = new Map(found.map(({ path, sha256 }) => [path, sha256]));
  const listed = new Set(signed.map(({ path }) => path));
  const missing = signed.find(({ path }) => !digests.has(path));
  if (missing !== undefined) {
    return fileRefusal("SIGNER_FILE_MISSING", `signed but not there: ${received(missing.path)}`);
  }
  const extra = found.find(({ path }) => !listed.has(path));
  if (extra !== undefined) {
    return fileRefusal("SIGNER_FILE_EXTRA", `there but not signed: ${received(extra.path)}`);
  }
  const changed = signed.find(({ path, sha256 }) => digests.get(path) !== sha256);
  return changed === undefined
    ? undefined
    : fileRefusal(
        "SIGNER_FILE_CHANGED",
        `${received(changed.path)} should have SHA-256 ${changed.sha256} and has ${digests.get(changed.path) ?? "none"}`,
      );
}

function fileRefusal(code: string, reason: string): Refusal {
  return refuse(code, "signature.files", reason);
}

function publisherOf({ identity, keyId }: Signer, { payload }: Envelope): Publisher {
  return Object.freeze({ identity, keyId, digest: hash("sha256", payload) as Sha256 });
}
