import { hash } from "node:crypto";

import type { Sha256 } from "@glovebox/core/ids";
import { createVerifier, SIGNATURE_FILE, signPackage } from "@glovebox/signer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import {
  envelopeOver,
  packageFiles,
  PLUGIN,
  publisher,
  statementOver,
  stranger,
  trustedKeys,
} from "./forge.ts";

const verifier = createVerifier({ trustedKeys });
const { privateKey } = publisher;

function verify(signature: Uint8Array, files = packageFiles()) {
  return verifier.verify({ files, signature, ...PLUGIN });
}

function tampered(change: (envelope: Record<string, unknown>) => void): Uint8Array {
  const text = Buffer.from(signPackage(packageFiles(), { ...PLUGIN, privateKey })).toString();
  const envelope = JSON.parse(text) as Record<string, unknown>;
  change(envelope);
  return Buffer.from(JSON.stringify(envelope));
}

test("believes a digest that was made before, and makes those that were not", () => {
  const signature = signPackage(packageFiles(), { ...PLUGIN, privateKey });
  const digestsOf = (files: ReadonlyMap<string, Uint8Array>) =>
    new Map([...files].map(([path, bytes]) => [path, hash("sha256", bytes) as Sha256]));
  const changed = new Map([...packageFiles()].map(([path]) => [path, Uint8Array.of(1)]));
  const ask = (files: ReadonlyMap<string, Uint8Array>, digests: ReadonlyMap<string, Sha256>) =>
    verifier.verify({ files, digests, signature, ...PLUGIN });
  expect(ask(packageFiles(), digestsOf(packageFiles()))).toMatchObject({ allowed: true });
  expect(ask(packageFiles(), digestsOf(changed))).toRefuse("SIGNER_FILE_CHANGED");
  expect(ask(changed, new Map())).toRefuse("SIGNER_FILE_CHANGED");
});

describe("the policy", () => {
  test("requires a signature by default", () => {
    expect(createVerifier().mode).toBe("required");
    expect(createVerifier().verify({ files: packageFiles(), ...PLUGIN })).toRefuse(
      "SIGNER_SIGNATURE_MISSING",
    );
  });

  test("trusts nobody by default", () => {
    const signature = signPackage(packageFiles(), { ...PLUGIN, privateKey });
    const decision = createVerifier().verify({ files: packageFiles(), signature, ...PLUGIN });
    expect(decision).toRefuse("SIGNER_KEY_UNKNOWN");
  });

  test("says so when signatures are off, and names no publisher even for a good signature", () => {
    const off = createVerifier({ mode: "off", trustedKeys });
    const signature = signPackage(packageFiles(), { ...PLUGIN, privateKey });
    for (const request of [{}, { signature }]) {
      expect(off.verify({ files: packageFiles(), ...PLUGIN, ...request })).toEqual({
        allowed: true,
        rule: "signature.off: signatures are off",
        value: undefined,
      });
    }
  });

  test("refuses a mode that it does not know instead of guessing", () => {
    // A host that reads its policy from a file may pass anything.
    const mode = "optional" as unknown as "off";
    expect(() => createVerifier({ mode })).toThrowCode("SIGNER_OPTION");
  });

  test("refuses a key without an identity and a key twice", () => {
    const { publicKey } = publisher;
    expect(() => createVerifier({ trustedKeys: [{ publicKey, identity: "" }] })).toThrowCode(
      "SIGNER_OPTION",
    );
    const twice = [...trustedKeys, { publicKey, identity: "another name" }];
    expect(() => createVerifier({ trustedKeys: twice })).toThrowCode("SIGNER_OPTION");
  });

  test("refuses a private key as a trusted key, so that none lies about in a policy", () => {
    const pem = privateKey.export({ format: "pem", type: "pkcs8" });
    for (const publicKey of [privateKey, pem]) {
      expect(() => createVerifier({ trustedKeys: [{ publicKey, identity: "x" }] })).toThrowCode(
        "SIGNER_KEY",
      );
    }
  });

  test("refuses a public key that cannot be read", () => {
    const publicKey = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    expect(() => createVerifier({ trustedKeys: [{ publicKey, identity: "x" }] })).toThrowCode(
      "SIGNER_KEY",
    );
  });
});

describe("the publisher", () => {
  test("is frozen and carries the digest of the signed statement", () => {
    const payload = JSON.stringify(statementOver(packageFiles()));
    const decision = verify(envelopeOver(payload));
    expect(decision).toMatchObject({ value: { digest: hash("sha256", payload) } });
    expect(decision.allowed && Object.isFrozen(decision.value)).toBe(true);
  });

  test("is the trusted one among several signers", () => {
    const decision = verify(envelopeOver(statementOver(packageFiles()), [stranger, publisher]));
    expect(decision).toMatchObject({ value: { keyId: publisher.keyId } });
  });
});

describe("a malformed envelope is refused", () => {
  test.each([
    ["that is empty", Buffer.alloc(0)],
    ["that is no JSON", Buffer.from("{")],
    ["that is a list", Buffer.from("[]")],
    [
      "with a key twice",
      Buffer.from('{"payload":"","payload":"","payloadType":"","signatures":[]}'),
    ],
    ["that is not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
    ["that is larger than any signature", Buffer.alloc(2_097_153, " ")],
    ["with an unknown member", tampered((envelope) => (envelope["extra"] = 1))],
    ["without signatures", tampered((envelope) => (envelope["signatures"] = []))],
    ["with signatures that are no list", tampered((envelope) => (envelope["signatures"] = {}))],
    ["with loose base64", tampered((envelope) => (envelope["payload"] = "e30"))],
    ["with a line break in base64", tampered((envelope) => (envelope["payload"] = "e3\n0="))],
    ["with a payload that is a number", tampered((envelope) => (envelope["payload"] = 1))],
    ["with a signature that is a number", tampered((envelope) => (envelope["signatures"] = [1]))],
    [
      "with a signature in loose base64",
      tampered((envelope) => (envelope["signatures"] = [{ keyid: publisher.keyId, sig: "!" }])),
    ],
    [
      "with seventeen signatures",
      tampered(
        (envelope) =>
          (envelope["signatures"] = Array.from({ length: 17 }, (_, n) => ({
            keyid: `${n}`,
            sig: "",
          }))),
      ),
    ],
    [
      "with two signatures of one key",
      envelopeOver(statementOver(packageFiles()), [publisher, publisher]),
    ],
  ])("%s", (_, signature) => {
    expect(verify(signature)).toRefuse("SIGNER_ENVELOPE");
  });

  test("whatever bytes it has, without throwing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(verify(bytes)).toRefuse("SIGNER_ENVELOPE");
      }),
    );
  });
});

describe("a malformed statement is refused although its publisher is trusted", () => {
  const files = packageFiles();
  const subjects = statementOver(files)["subject"] as readonly unknown[];
  test.each([
    ["that is no JSON", "{"],
    ["that is a list", "[]"],
    ["of another type", statementOver(files, { _type: "https://in-toto.io/Statement/v0.1" })],
    [
      "about something else",
      statementOver(files, { predicateType: "https://slsa.dev/provenance/v1" }),
    ],
    ["with an unknown member", statementOver(files, { extra: true })],
    ["without a plugin", statementOver(files, { predicate: { version: "1.2.0" } })],
    [
      "with a version that is a number",
      statementOver(files, { predicate: { ...PLUGIN, version: 1 } }),
    ],
    ["without a list of files", statementOver(files, { subject: {} })],
    ["with files out of order", statementOver(files, { subject: subjects.toReversed() })],
    ["with a file that is text", statementOver(files, { subject: ["plugin.wasm"] })],
    ["with a file without digest", statementOver(files, { subject: [{ name: "a", digest: {} }] })],
    [
      "with a digest in capitals",
      statementOver(files, { subject: [{ name: "a", digest: { sha256: "A".repeat(64) } }] }),
    ],
  ])("%s", (_, statement) => {
    expect(verify(envelopeOver(statement))).toRefuse("SIGNER_STATEMENT");
  });

  test("without any file", () => {
    expect(verify(envelopeOver(statementOver(files, { subject: [] })))).toRefuse(
      "SIGNER_FILE_COUNT",
    );
  });

  test("that lists a file twice", () => {
    const subject = [...subjects.slice(0, 1), ...subjects];
    expect(verify(envelopeOver(statementOver(files, { subject })))).toRefuse(
      "SIGNER_SUBJECT_DUPLICATE",
    );
  });
});

test("a check that fails itself is a refusal", () => {
  const files = new Map([[SIGNATURE_FILE, undefined as unknown as Uint8Array]]);
  files.get = () => {
    throw new Error("the map broke");
  };
  expect(verifier.verify({ files, ...PLUGIN })).toRefuse("CORE_CHECK_FAILED");
});
