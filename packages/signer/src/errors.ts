/**
 * @module The codes of this package. Most name a refusal, which `verify` returns; `SIGNER_OPTION`,
 * `SIGNER_KEY` and what `signPackage` cannot sign are thrown at the programmer or operator.
 * docs/errors/signer.md has a heading for each.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code of this package: what it means and what to do. */
export const SIGNER_ERRORS = {
  SIGNER_OPTION: {
    summary: "An option of the signer has a value that it cannot have.",
    advice: "Correct the option that the message names.",
  },
  SIGNER_KEY: {
    summary: "A key cannot be used for signatures.",
    advice: "Use an Ed25519 key, the public half in the trust policy and the private half to sign.",
  },
  SIGNER_PATH: {
    summary: "A path in a plugin package is not one that every system reads alike.",
    advice: "Use relative paths with / and without . or .. segments, unique regardless of case.",
  },
  SIGNER_FILE_COUNT: {
    summary: "A plugin package has no file or too many of them.",
    advice: "Ship between one file and the documented maximum.",
  },
  SIGNER_SIGNATURE_MISSING: {
    summary: "The plugin package is not signed, and the policy requires a signature.",
    advice: "Sign the package, or loosen the policy by name.",
  },
  SIGNER_ENVELOPE: {
    summary: "The signature file is malformed.",
    advice: "Sign the package again; the reason says what was expected.",
  },
  SIGNER_PAYLOAD_TYPE: {
    summary: "The signature file signs something other than an in-toto statement.",
    advice: "Sign the package with `signPackage`.",
  },
  SIGNER_KEY_UNKNOWN: {
    summary: "No signature was made with a trusted key.",
    advice: "Trust the publisher's key if you know the publisher.",
  },
  SIGNER_SIGNATURE_INVALID: {
    summary: "A signature that claims a trusted key was not made with it.",
    advice: "Treat the package as forged or damaged; fetch it again from its publisher.",
  },
  SIGNER_STATEMENT: {
    summary: "The signed statement is malformed.",
    advice: "Ask the publisher to sign the package again.",
  },
  SIGNER_SUBJECT_DUPLICATE: {
    summary: "The signed statement lists a file twice.",
    advice: "Ask the publisher to sign the package again.",
  },
  SIGNER_PLUGIN_MISMATCH: {
    summary: "The signature belongs to another plugin or another version.",
    advice: "Ship each package with the signature that was made for it.",
  },
  SIGNER_FILE_MISSING: {
    summary: "A signed file is not in the package.",
    advice: "Ship the package whole, or sign what is left of it.",
  },
  SIGNER_FILE_EXTRA: {
    summary: "The package holds a file that was not signed.",
    advice: "Remove the file, or sign the package again.",
  },
  SIGNER_FILE_CHANGED: {
    summary: "A file is not the one that was signed.",
    advice: "Treat the package as forged or damaged; fetch it again from its publisher.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type SignerErrorCode = keyof typeof SIGNER_ERRORS;

/** Misuse of this package, or a package that cannot be signed. */
export class SignerError extends SecurityError<SignerErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/signer/SignerError");

  constructor(code: SignerErrorCode, options: SecurityErrorOptions = {}) {
    super(code, SIGNER_ERRORS[code], options);
  }
}
