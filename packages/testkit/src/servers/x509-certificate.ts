/**
 * @module X.509 version 3 certificates (RFC 5280 section 4) over ECDSA P-256, written in code, so
 * that no fixture expires in the repository and no openssl has to be installed.
 */
import { createHash, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

import {
  bitString,
  booleanTrue,
  explicit,
  implicit,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  unsignedInteger,
  utf8String,
} from "./der.ts";

const OID = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  crlNumber: "2.5.29.20",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** Bytes of an uncompressed P-256 point, with which its SPKI ends. */
const P256_POINT_BYTES = 65;

/** A leaf serves, and shows who a client is. */
const KEY_USAGES: readonly string[] = [OID.serverAuth, OID.clientAuth];

/** What a certificate says. */
export interface CertificateFields {
  readonly subject: { readonly commonName: string; readonly publicKey: KeyObject };
  /** Who signs; for a self-signed certificate the subject itself. */
  readonly issuer: {
    readonly commonName: string;
    readonly publicKey: KeyObject;
    readonly privateKey: KeyObject;
  };
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** May sign certificates. */
  readonly isAuthority: boolean;
  /** DNS names of the subject alternative name. */
  readonly names: readonly string[];
  /** IPv4 addresses of the subject alternative name; without these and names it is left out. */
  readonly addresses: readonly string[];
}

/** Writes and signs a certificate; the answer is PEM (RFC 7468). */
export function writeCertificate(fields: CertificateFields): string {
  const { subject, issuer } = fields;
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const toBeSigned = sequence(
    explicit(0, unsignedInteger(Uint8Array.of(2))), // version 3
    unsignedInteger(randomBytes(16)),
    algorithm,
    distinguishedName(issuer.commonName),
    sequence(time(fields.notBeforeMs), time(fields.notAfterMs)),
    distinguishedName(subject.commonName),
    spkiOf(subject.publicKey),
    explicit(3, sequence(...extensionsOf(fields))),
  );
  const signature = sign("sha256", toBeSigned, issuer.privateKey);
  return pem("CERTIFICATE", sequence(toBeSigned, algorithm, bitString(signature)));
}

/** Writes and signs a revocation list (RFC 5280 section 5); the answer is PEM. */
export function writeRevocationList(
  issuer: CertificateFields["issuer"],
  serials: readonly Uint8Array[],
  thisUpdateMs: number,
  nextUpdateMs: number,
): string {
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const revoked = serials.map((serial) => sequence(unsignedInteger(serial), time(thisUpdateMs)));
  const toBeSigned = sequence(
    unsignedInteger(Uint8Array.of(1)), // version 2
    algorithm,
    distinguishedName(issuer.commonName),
    time(thisUpdateMs),
    time(nextUpdateMs),
    ...(revoked.length > 0 ? [sequence(...revoked)] : []),
    explicit(
      0,
      sequence(
        extension(
          OID.authorityKeyIdentifier,
          sequence(implicit(0, keyIdentifier(issuer.publicKey))),
        ),
        extension(OID.crlNumber, unsignedInteger(Uint8Array.of(1))),
      ),
    ),
  );
  const signature = sign("sha256", toBeSigned, issuer.privateKey);
  return pem("X509 CRL", sequence(toBeSigned, algorithm, bitString(signature)));
}

function extensionsOf(fields: CertificateFields): readonly Uint8Array[] {
  const { subject, issuer, isAuthority, names, addresses } = fields;
  const alternatives = [
    ...names.map((name) => implicit(2, Buffer.from(name, "ascii"))),
    ...addresses
      .filter(isIPv4)
      .map((address) => implicit(7, Uint8Array.from(address.split(".").map(Number)))),
  ];
  return [
    critical(OID.basicConstraints, isAuthority ? sequence(booleanTrue()) : sequence()),
    // keyCertSign is bit 5, cRLSign bit 6, digitalSignature bit 0 (RFC 5280 section 4.2.1.3).
    critical(
      OID.keyUsage,
      isAuthority ? bitString(Uint8Array.of(0x06), 1) : bitString(Uint8Array.of(0x80), 7),
    ),
    ...(isAuthority
      ? []
      : [extension(OID.extKeyUsage, sequence(...KEY_USAGES.map(objectIdentifier)))]),
    ...(alternatives.length > 0 ? [extension(OID.subjectAltName, sequence(...alternatives))] : []),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(subject.publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(issuer.publicKey)))),
  ];
}

function extension(oid: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(oid), octetString(value));
}

function critical(oid: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(oid), booleanTrue(), octetString(value));
}

function distinguishedName(commonName: string): Uint8Array {
  return sequence(set(sequence(objectIdentifier(OID.commonName), utf8String(commonName))));
}

function spkiOf(publicKey: KeyObject): Uint8Array {
  return publicKey.export({ type: "spki", format: "der" });
}

/** RFC 7093 section 2, method 1: the left 160 bits of SHA-256 over the key's bits. */
function keyIdentifier(publicKey: KeyObject): Uint8Array {
  const point = spkiOf(publicKey).subarray(-P256_POINT_BYTES);
  return createHash("sha256").update(point).digest().subarray(0, 20);
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
