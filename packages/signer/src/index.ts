/** @module The door of the signer: keys, signatures, and the decision about a signed package. */
export { SIGNER_ERRORS, SignerError } from "./errors.ts";
export type { SignerErrorCode } from "./errors.ts";
export { SIGNATURE_FILE } from "./file-list.ts";
export { generateKeyPair, signPackage } from "./sign.ts";
export type { KeyPair, SignOptions } from "./sign.ts";
export { createVerifier } from "./verify.ts";
export type { Publisher, TrustedKey, Verifier, VerifierOptions, VerifyRequest } from "./verify.ts";
