/** CWE-22, CWE-178, CWE-180: a path that two systems read differently. */
import { createVerifier, signPackage } from "@glovebox/signer";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import {
  envelopeOver,
  packageFiles,
  PLUGIN,
  publisher,
  statementOver,
  trustedKeys,
} from "../forge.ts";

const verifier = createVerifier({ trustedKeys });

const TRICKS: readonly (readonly string[])[] = [
  ["../plugin.wasm"],
  ["data/../plugin.wasm"],
  ["./plugin.wasm"],
  ["/etc/passwd"],
  ["data//rows.csv"],
  ["data/"],
  [""],
  ["."],
  [".."],
  ["data\\rows.csv"],
  ["C:plugin.wasm"],
  ["plugin.wasm:stream"],
  ["plugin.wasm\0.txt"],
  ["plugin\n.wasm"],
  ["plugin\u0085.wasm"],
  ["plugin\u202emsaw.nigulp"],
  ["plugin.wasm."],
  ["plugin.wasm "],
  ["\ud800"],
  ["e\u0301.txt"],
  ["a".repeat(513)],
  ["plugin.wasm", "Plugin.wasm"],
  ["stra\u00dfe", "STRASSE"],
  ["data", "data/rows.csv"],
  ["Data", "data/rows.csv"],
  ["PLUGIN.sigstore.json"],
];

describe.each(TRICKS)("%j %s", (...paths) => {
  const files = new Map(paths.map((path) => [path, Buffer.from("x")]));

  test("is not signed", () => {
    const { privateKey } = publisher;
    expect(() => signPackage(files, { ...PLUGIN, privateKey })).toThrowCode("SIGNER_PATH");
  });

  test("is refused in a package", () => {
    const signature = envelopeOver(statementOver(packageFiles()));
    expect(verifier.verify({ files, signature, ...PLUGIN })).toRefuse("SIGNER_PATH");
  });

  test("is refused in a statement, although a trusted publisher signed it", () => {
    const signature = envelopeOver(statementOver(files));
    // JSON with half a surrogate pair is refused before it is a statement.
    const code = paths[0] === "\ud800" ? "SIGNER_STATEMENT" : "SIGNER_PATH";
    expect(verifier.verify({ files: packageFiles(), signature, ...PLUGIN })).toRefuse(code);
  });
});

test("the signature file cannot be listed in what it signs", () => {
  const subject = [{ digest: { sha256: "0".repeat(64) }, name: "plugin.sigstore.json" }];
  const signature = envelopeOver(statementOver(new Map(), { subject }));
  expect(verifier.verify({ files: packageFiles(), signature, ...PLUGIN })).toRefuse("SIGNER_PATH");
});
