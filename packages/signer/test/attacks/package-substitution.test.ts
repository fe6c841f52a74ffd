/** CWE-345, CWE-347, CWE-353: what runs is not what the publisher signed. */
import { createVerifier, SIGNATURE_FILE, signPackage } from "@glovebox/signer";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import {
  envelopeOver,
  packageFiles,
  PLUGIN,
  publisher,
  statementOver,
  stranger,
  trustedKeys,
} from "../forge.ts";

const verifier = createVerifier({ trustedKeys });

function signedFiles(): Map<string, Uint8Array> {
  const files = packageFiles();
  const { privateKey } = publisher;
  return files.set(SIGNATURE_FILE, signPackage(files, { ...PLUGIN, privateKey }));
}

test("a file beside the signed ones is refused", () => {
  const files = signedFiles().set("second.wasm", Buffer.from("\0asm"));
  expect(verifier.verify({ files, ...PLUGIN })).toRefuse("SIGNER_FILE_EXTRA");
});

test("a second signature file deeper in the package is a file like any other", () => {
  const files = signedFiles().set(`data/${SIGNATURE_FILE}`, Buffer.from("{}"));
  expect(verifier.verify({ files, ...PLUGIN })).toRefuse("SIGNER_FILE_EXTRA");
});

test("a signed file that is gone is refused", () => {
  const files = signedFiles();
  files.delete("data/rows.csv");
  expect(verifier.verify({ files, ...PLUGIN })).toRefuse("SIGNER_FILE_MISSING");
});

test("a renamed file is refused although its bytes are the same", () => {
  const files = signedFiles();
  files.set("data/columns.csv", files.get("data/rows.csv") ?? Buffer.alloc(0));
  files.delete("data/rows.csv");
  expect(verifier.verify({ files, ...PLUGIN }).allowed).toBe(false);
});

test("two files that changed places are refused", () => {
  const files = signedFiles();
  const [yaml, wasm] = [files.get("plugin.yaml"), files.get("plugin.wasm")];
  files.set("plugin.yaml", wasm ?? Buffer.alloc(0)).set("plugin.wasm", yaml ?? Buffer.alloc(0));
  expect(verifier.verify({ files, ...PLUGIN })).toRefuse("SIGNER_FILE_CHANGED");
});

test("one changed bit in any file is refused", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...packageFiles().keys()),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (path, offset, bit) => {
        const files = signedFiles();
        const bytes = Buffer.from(files.get(path) ?? []);
        const index = offset % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        expect(verifier.verify({ files: files.set(path, bytes), ...PLUGIN })).toRefuse(
          "SIGNER_FILE_CHANGED",
        );
      },
    ),
  );
});

test("one changed bit anywhere in the signature file never passes", () => {
  const signature = signedFiles().get(SIGNATURE_FILE) ?? Buffer.alloc(0);
  for (let index = 0; index < signature.length - 1; index += 1) {
    const bytes = Buffer.from(signature);
    bytes[index] = (bytes[index] ?? 0) ^ (1 << (index % 8));
    const files = signedFiles().set(SIGNATURE_FILE, bytes);
    expect(verifier.verify({ files, ...PLUGIN }).allowed, `byte ${index}`).toBe(false);
  }
});

test("a good signature for another plugin or version is refused", () => {
  const files = signedFiles();
  for (const other of [{ pluginId: "auth" }, { version: "1.2.1" }, { version: "1.2.0 " }]) {
    expect(verifier.verify({ files, ...PLUGIN, ...other })).toRefuse("SIGNER_PLUGIN_MISMATCH");
  }
});

test("a stranger's signature is refused, also under two names", () => {
  const statement = statementOver(packageFiles());
  const other = { ...stranger, keyId: "0".repeat(64) };
  for (const signers of [[stranger], [stranger, other]]) {
    const signature = envelopeOver(statement, signers);
    expect(verifier.verify({ files: packageFiles(), signature, ...PLUGIN })).toRefuse(
      "SIGNER_KEY_UNKNOWN",
    );
  }
});

test("a stranger who claims the publisher's key id is refused, also beside a good signature", () => {
  const statement = statementOver(packageFiles());
  const impostor = { privateKey: stranger.privateKey, keyId: publisher.keyId };
  const signature = envelopeOver(statement, [impostor]);
  expect(verifier.verify({ files: packageFiles(), signature, ...PLUGIN })).toRefuse(
    "SIGNER_SIGNATURE_INVALID",
  );
  const second = { publicKey: stranger.publicKey, identity: "second" };
  const both = createVerifier({ trustedKeys: [...trustedKeys, second] });
  const swapped = { privateKey: publisher.privateKey, keyId: stranger.keyId };
  const mixed = envelopeOver(statement, [publisher, swapped]);
  expect(both.verify({ files: packageFiles(), signature: mixed, ...PLUGIN })).toRefuse(
    "SIGNER_SIGNATURE_INVALID",
  );
});

test("a signature over the same bytes under another payload type is refused", () => {
  const statement = statementOver(packageFiles());
  const text = envelopeOver(statement, [publisher], "application/json");
  expect(verifier.verify({ files: packageFiles(), signature: text, ...PLUGIN })).toRefuse(
    "SIGNER_PAYLOAD_TYPE",
  );
  const relabelled = Buffer.from(
    Buffer.from(text).toString().replace("application/json", "application/vnd.in-toto+json"),
  );
  expect(verifier.verify({ files: packageFiles(), signature: relabelled, ...PLUGIN })).toRefuse(
    "SIGNER_SIGNATURE_INVALID",
  );
});

test("files that change after the decision were not what was decided on", () => {
  const files = signedFiles();
  expect(verifier.verify({ files, ...PLUGIN }).allowed).toBe(true);
  files.get("plugin.wasm")?.fill(0);
  expect(verifier.verify({ files, ...PLUGIN })).toRefuse("SIGNER_FILE_CHANGED");
});
