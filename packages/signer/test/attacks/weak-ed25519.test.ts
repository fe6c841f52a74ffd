/**
 * CWE-347: keys of small order, for which one signature fits every message, and signatures that can
 * be changed without the key. Node.js before 26 accepts the former.
 */
import { createPublicKey, hash } from "node:crypto";

import { createVerifier, signPackage } from "@glovebox/signer";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { packageFiles, PLUGIN, publisher, trustedKeys } from "../forge.ts";

const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const L = (1n << 252n) + 27742317777372353535851937790883648493n;

/** All encodings of points of small order, with either sign, and coordinates that are not reduced. */
const WEAK = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

function signedWith(change: (signature: Buffer) => void): Uint8Array {
  const bytes = signPackage(packageFiles(), { ...PLUGIN, privateKey: publisher.privateKey });
  const envelope = JSON.parse(Buffer.from(bytes).toString()) as { signatures: { sig: string }[] };
  for (const entry of envelope.signatures) {
    const signature = Buffer.from(entry.sig, "base64");
    change(signature);
    entry.sig = signature.toString("base64");
  }
  return Buffer.from(JSON.stringify(envelope));
}

function expectInvalid(signature: Uint8Array): void {
  const verifier = createVerifier({ trustedKeys });
  expect(verifier.verify({ files: packageFiles(), signature, ...PLUGIN })).toRefuse(
    "SIGNER_SIGNATURE_INVALID",
  );
}

describe.each(WEAK)("the point %s", (hex) => {
  test("is not trusted as a key", () => {
    const der = Buffer.concat([SPKI_PREFIX, Buffer.from(hex, "hex")]);
    const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
    expect(() => createVerifier({ trustedKeys: [{ publicKey, identity: "x" }] })).toThrowCode(
      "SIGNER_KEY",
    );
  });

  test("is refused in a signature", () => {
    expectInvalid(signedWith((signature) => signature.set(Buffer.from(hex, "hex"))));
  });
});

test("a signature with the group's order added to it is refused", () => {
  expectInvalid(
    signedWith((signature) => {
      const s = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString("hex")}`) + L;
      signature.set(Buffer.from(s.toString(16).padStart(64, "0"), "hex").toReversed(), 32);
    }),
  );
});

test("a signature that is cut or empty is refused", () => {
  const envelope = JSON.parse(Buffer.from(signedWith(() => undefined)).toString()) as {
    signatures: { sig: string }[];
  };
  for (const sig of ["", "AAAA"]) {
    const [entry] = envelope.signatures;
    if (entry !== undefined) entry.sig = sig;
    expectInvalid(Buffer.from(JSON.stringify(envelope)));
  }
});

test("a signature whose nonce is zero is refused, although the equation holds", () => {
  // R is the neutral element and S = k·a, as only the holder of the key can compute: such a
  // signature gives the key away, and Node.js before 26 accepts it.
  const text = Buffer.from(signedWith(() => undefined)).toString();
  const envelope = JSON.parse(text) as { payload: string; signatures: { sig: string }[] };
  const payload = Buffer.from(envelope.payload, "base64");
  const type = "application/vnd.in-toto+json";
  const message = Buffer.from(
    `DSSEv1 ${type.length} ${type} ${payload.length} ${payload.toString()}`,
  );
  const seed = Buffer.from(publisher.privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  const clamped = Buffer.from(hash("sha512", seed, "buffer").subarray(0, 32));
  clamped[0] = (clamped[0] ?? 0) & 248;
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64;
  const point = Buffer.from("01".padEnd(64, "0"), "hex");
  const key = Buffer.from(publisher.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const k = littleEndian(hash("sha512", Buffer.concat([point, key, message]), "buffer"));
  const s = ((k % L) * littleEndian(clamped)) % L;
  const signature = Buffer.concat([
    point,
    Buffer.from(s.toString(16).padStart(64, "0"), "hex").toReversed(),
  ]);
  const [entry] = envelope.signatures;
  if (entry !== undefined) entry.sig = signature.toString("base64");
  expectInvalid(Buffer.from(JSON.stringify(envelope)));
});

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex")}`);
}
