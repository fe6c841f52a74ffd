/**
 * @module A certificate authority that lives for one test process, and the server certificates a
 * TLS client has to judge: a good one and those that it must refuse (RFC 5280 section 6, RFC 9525).
 */
import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";

import { CERTIFICATE_LIFETIME_MS } from "../limits.ts";
import { writeCertificate, writeRevocationList } from "./x509-certificate.ts";

/**
 * `ok`, or what is wrong. `cn-only` has the name as common name and no subject alternative name:
 * RFC 9525 section 6.3 forbids to accept it, and Node's own check does accept it.
 */
export type CertificateKind =
  | "ok"
  | "self-signed"
  | "wrong-name"
  | "expired"
  | "not-yet-valid"
  | "cn-only";

/** For whom a certificate is issued. */
export interface CertificateRequest {
  /** Default: `ok`. */
  readonly kind?: CertificateKind;
  /** DNS names; a leading `*.` is possible. Default: `["localhost"]`. */
  readonly names?: readonly string[];
  /** IPv4 addresses. Default: `["127.0.0.1"]`. */
  readonly addresses?: readonly string[];
}

/** A certificate and its key, as `node:tls` takes them. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority; its key never leaves the process. */
export interface TestAuthority {
  /** The authority's own certificate as PEM: what a client is to trust. */
  readonly ca: string;
  issue(request?: CertificateRequest): IssuedCertificate;
  /** A revocation list of this authority with the given certificates on it, as PEM. */
  revocationList(revoked: readonly IssuedCertificate[]): string;
}

interface Party {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A name that no request means (RFC 6761 section 6.4). */
const WRONG_NAME = "wrong-name.invalid";

let shared: TestAuthority | undefined;

/** The authority of this process, which signs where a test does not bring its own. */
export function sharedAuthority(): TestAuthority {
  shared ??= createTestAuthority();
  return shared;
}

/**
 * Makes an authority with a key of its own; two of them are how a test shows that a client trusts
 * only the one it was given.
 *
 * @example
 * ```ts
 * const { cert, key } = createTestAuthority().issue({ kind: "expired", names: ["api.example.com"] });
 * ```
 */
export function createTestAuthority(commonName = "Glovebox test authority"): TestAuthority {
  const authority = newParty(commonName);
  const now = Date.now();
  const ca = writeCertificate({
    subject: authority,
    issuer: authority,
    // Long enough to cover the leaf that expired yesterday: only the leaf's dates are to be wrong.
    notBeforeMs: now - 4 * CERTIFICATE_LIFETIME_MS,
    notAfterMs: now + 4 * CERTIFICATE_LIFETIME_MS,
    isAuthority: true,
    names: [],
    addresses: [],
  });
  return {
    ca,
    issue(request = {}) {
      const { kind = "ok", names = ["localhost"], addresses = ["127.0.0.1"] } = request;
      const subject = newParty(kind === "wrong-name" ? WRONG_NAME : (names[0] ?? "nameless"));
      const isNamed = kind !== "cn-only" && kind !== "wrong-name";
      const cert = writeCertificate({
        subject,
        issuer: kind === "self-signed" ? subject : authority,
        ...validity(kind),
        isAuthority: false,
        names: kind === "wrong-name" ? [WRONG_NAME] : isNamed ? names : [],
        addresses: isNamed ? addresses : [],
      });
      return { cert, key: subject.privateKey.export({ type: "pkcs8", format: "pem" }) };
    },
    revocationList: (revoked) =>
      writeRevocationList(
        authority,
        revoked.map(({ cert }) => Buffer.from(new X509Certificate(cert).serialNumber, "hex")),
        now - CERTIFICATE_LIFETIME_MS,
        now + CERTIFICATE_LIFETIME_MS,
      ),
  };
}

function validity(kind: CertificateKind): { notBeforeMs: number; notAfterMs: number } {
  const now = Date.now();
  const day = CERTIFICATE_LIFETIME_MS;
  if (kind === "expired") return { notBeforeMs: now - 2 * day, notAfterMs: now - day };
  if (kind === "not-yet-valid") return { notBeforeMs: now + day, notAfterMs: now + 2 * day };
  return { notBeforeMs: now - day, notAfterMs: now + day };
}

function newParty(commonName: string): Party {
  return { commonName, ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
}
