import { generateKeyPairSync, X509Certificate } from "node:crypto";

import { createTestAuthority } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { writeCertificate } from "#x509-certificate";

const authority = createTestAuthority();
const ca = new X509Certificate(authority.ca);

test("the authority's certificate is one, and is signed by itself", () => {
  expect(ca.ca).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(ca.subject).toBe("CN=Glovebox test authority");
});

test("a certificate is issued by the authority for its names and addresses, of a server or a client", () => {
  const { cert, key } = authority.issue({
    names: ["api.example.com", "*.trusted.com"],
    addresses: ["127.0.0.1", "10.0.0.7"],
  });
  const leaf = new X509Certificate(cert);
  expect(leaf.ca).toBe(false);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.subjectAltName).toBe(
    "DNS:api.example.com, DNS:*.trusted.com, IP Address:127.0.0.1, IP Address:10.0.0.7",
  );
  // serverAuth and clientAuth (RFC 5280 section 4.2.1.12).
  expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
});

test("two certificates differ in serial number and key", () => {
  const [first, second] = [authority.issue(), authority.issue()].map(
    ({ cert }) => new X509Certificate(cert),
  );
  expect(first?.serialNumber).not.toBe(second?.serialNumber);
  expect(first?.publicKey.equals(second?.publicKey ?? ca.publicKey)).toBe(false);
});

test("another authority of the same name did not sign", () => {
  const other = new X509Certificate(createTestAuthority().ca);
  const leaf = new X509Certificate(authority.issue().cert);
  expect(leaf.verify(other.publicKey)).toBe(false);
});

test("a self-signed certificate names itself as its issuer", () => {
  const leaf = new X509Certificate(authority.issue({ kind: "self-signed" }).cert);
  expect(leaf.verify(leaf.publicKey)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(false);
});

test("a cn-only certificate matches a host only for who still reads common names", () => {
  const leaf = new X509Certificate(
    authority.issue({ kind: "cn-only", names: ["api.example.com"] }).cert,
  );
  expect(leaf.subjectAltName).toBeUndefined();
  expect(leaf.checkHost("api.example.com", { subject: "never" })).toBeUndefined();
  expect(leaf.checkHost("api.example.com", { subject: "always" })).toBe("api.example.com");
});

test("dates from 2050 on are read back as they were written", () => {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const party = { commonName: "far away", ...keys };
  const pem = writeCertificate({
    subject: party,
    issuer: party,
    notBeforeMs: Date.UTC(2049, 11, 31),
    notAfterMs: Date.UTC(2051, 5, 1, 12, 30, 15),
    isAuthority: false,
    names: ["a.example"],
    addresses: [],
  });
  const certificate = new X509Certificate(pem);
  expect(certificate.validFromDate.toISOString()).toBe("2049-12-31T00:00:00.000Z");
  expect(certificate.validToDate.toISOString()).toBe("2051-06-01T12:30:15.000Z");
});
