import { generateKeyPairSync } from "node:crypto";

import { createVerifier, generateKeyPair, SIGNATURE_FILE, signPackage } from "@glovebox/signer";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { packageFiles, PLUGIN, publisher, trustedKeys } from "./forge.ts";

const { privateKey } = publisher;

describe("signing a package", () => {
  test("makes a signature that its verifier accepts, and names the publisher", () => {
    const files = packageFiles();
    const signature = signPackage(files, { ...PLUGIN, privateKey });
    const decision = createVerifier({ trustedKeys }).verify({ files, signature, ...PLUGIN });
    expect(decision).toMatchObject({
      allowed: true,
      rule: "signature.trusted-key",
      value: { identity: "Example Ltd", keyId: publisher.keyId },
    });
  });

  test("gives the same bytes for the same files in any order", () => {
    const files = packageFiles();
    const reversed = new Map([...files].toReversed());
    expect(signPackage(reversed, { ...PLUGIN, privateKey })).toEqual(
      signPackage(files, { ...PLUGIN, privateKey }),
    );
  });

  test("leaves the signature file itself out of the list", () => {
    const files = packageFiles({ [SIGNATURE_FILE]: "an old signature" });
    const signature = signPackage(files, { ...PLUGIN, privateKey });
    files.set(SIGNATURE_FILE, signature);
    expect(createVerifier({ trustedKeys }).verify({ files, ...PLUGIN }).allowed).toBe(true);
  });

  test("takes keys as PEM", () => {
    const pem = publisher.privateKey.export({ format: "pem", type: "pkcs8" });
    const publicPem = publisher.publicKey.export({ format: "pem", type: "spki" });
    const files = packageFiles();
    files.set(SIGNATURE_FILE, signPackage(files, { ...PLUGIN, privateKey: pem }));
    const keys = [{ publicKey: publicPem, identity: "pem" }];
    expect(createVerifier({ trustedKeys: keys }).verify({ files, ...PLUGIN }).allowed).toBe(true);
  });

  test("makes a different key each time", () => {
    expect(generateKeyPair().keyId).not.toBe(generateKeyPair().keyId);
  });

  test("refuses a key that is not an Ed25519 private key", () => {
    const rsa = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const sign = (key: typeof rsa | string) => () =>
      signPackage(packageFiles(), { ...PLUGIN, privateKey: key });
    expect(sign(rsa)).toThrowCode("SIGNER_KEY");
    expect(sign(publisher.publicKey)).toThrowCode("SIGNER_KEY");
    expect(sign("not a key")).toThrowCode("SIGNER_KEY");
  });

  test("refuses an id that no plugin may have, and an empty or endless version", () => {
    const sign = (pluginId: string, version: string) => () =>
      signPackage(packageFiles(), { pluginId, version, privateKey });
    expect(sign("Rate_Table", "1.0.0")).toThrowCode("SIGNER_OPTION");
    expect(sign("rate-table", "")).toThrowCode("SIGNER_OPTION");
    expect(sign("rate-table", "1".repeat(257))).toThrowCode("SIGNER_OPTION");
    expect(sign("rate-table", "1.0\n.0")).toThrowCode("SIGNER_OPTION");
  });

  test("refuses an empty package and one with too many files", () => {
    const many = new Map(Array.from({ length: 1_025 }, (_, n) => [`f${n}`, new Uint8Array()]));
    for (const files of [new Map<string, Uint8Array>(), many]) {
      expect(() => signPackage(files, { ...PLUGIN, privateKey })).toThrowCode("SIGNER_FILE_COUNT");
    }
  });

  test("signs the largest package within the bound of a signature file", () => {
    const name = (n: number) => `${"\u{1f9e4}".repeat(126)}/${String(n).padStart(4, "0")}`;
    const files = new Map(Array.from({ length: 1_024 }, (_, n) => [name(n), Buffer.of(n & 255)]));
    files.set(SIGNATURE_FILE, Buffer.from(signPackage(files, { ...PLUGIN, privateKey })));
    expect(createVerifier({ trustedKeys }).verify({ files, ...PLUGIN })).toMatchObject({
      allowed: true,
    });
  });
});
