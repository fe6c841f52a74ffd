import { generateKeyPairSync } from "node:crypto";

import { createNoteSigner, openNote, parseVerifierKey, signNote } from "@glovebox/tlog/note";
import { expect, test } from "vitest";

import { formatVerifierKey } from "../../src/note/verifier-key.ts";

/** The encodings of the points of small order, and of points that are not reduced. */
const WEAK_POINTS = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

test.each(WEAK_POINTS)(
  "a log's key %s, under which one signature fits all, is not trusted",
  (hex) => {
    for (const type of [0x01, 0x04] as const) {
      const vkey = formatVerifierKey("log.example", type, Buffer.from(hex, "hex"));
      expect(parseVerifierKey(vkey)).toMatchObject({ allowed: false, code: "TLOG_KEY" });
    }
  },
);

test("a signature has no second form", async () => {
  const signer = createNoteSigner({
    name: "log.example",
    privateKey: generateKeyPairSync("ed25519").privateKey,
  });
  const key = parseVerifierKey(signer.vkey);
  if (!key.allowed) throw new Error(key.reason);
  const note = await signNote("text\n", [signer]);
  const blob = Buffer.from(note.trimEnd().split(" ").at(-1) ?? "", "base64");
  let s = BigInt(`0x${Buffer.from(blob.subarray(36).toReversed()).toString("hex")}`);
  s += (1n << 252n) + 27742317777372353535851937790883648493n;
  blob.set(Buffer.from(s.toString(16).padStart(64, "0"), "hex").toReversed(), 36);
  const doubled = note.replace(/\S+\n$/, `${blob.toString("base64")}\n`);
  expect(openNote(doubled, [key.value])).toMatchObject({ allowed: false, code: "TLOG_SIGNATURE" });
  expect(openNote(note, [key.value]).allowed).toBe(true);
});
