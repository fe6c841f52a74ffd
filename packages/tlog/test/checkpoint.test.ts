import { generateKeyPairSync } from "node:crypto";

import {
  formatCheckpoint,
  formatForkEvidence,
  formatTlogProof,
  openCheckpoint,
  parseCheckpoint,
  parseTlogProof,
  verifyForkEvidence,
  verifyTlogProof,
} from "@glovebox/tlog/checkpoint";
import {
  createNoteSigner,
  type NoteSigner,
  parseVerifierKey,
  signNote,
  type VerifierKey,
} from "@glovebox/tlog/note";
import { createTileTree } from "@glovebox/tlog/tree";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { grow, sourceOf } from "./grown-tree.ts";
import { sha256, treeHash } from "./reference-tree.ts";

const ORIGIN = "log.example/audit";
const ROOT = sha256(Buffer.from("root"));
const TEXT = `${ORIGIN}\n17\n${ROOT.toString("base64")}\n`;

function keyOf({ vkey }: NoteSigner): VerifierKey {
  const key = parseVerifierKey(vkey);
  if (!key.allowed) throw new Error(key.reason);
  return key.value;
}

const signer = createNoteSigner({
  name: ORIGIN,
  privateKey: generateKeyPairSync("ed25519").privateKey,
});
const keys = [keyOf(signer)];

test("reads what it writes", () => {
  expect(formatCheckpoint({ origin: ORIGIN, size: 17, root: ROOT })).toBe(TEXT);
  expect(parseCheckpoint(TEXT)).toMatchObject({
    allowed: true,
    value: { origin: ORIGIN, size: 17, root: ROOT },
  });
});

const b64 = ROOT.toString("base64");
const malformed: Readonly<Record<string, string>> = {
  empty: "",
  "one line": `${ORIGIN}\n`,
  "two lines": `${ORIGIN}\n17\n`,
  "no final line feed": TEXT.slice(0, -1),
  "empty origin": TEXT.replace(ORIGIN, ""),
  "empty line before": `\n${TEXT}`,
  "empty line after": `${TEXT}\n`,
  "extension line": `${TEXT}extension\n`,
  "size empty": TEXT.replace("17", ""),
  "size 00": TEXT.replace("17", "00"),
  "size 017": TEXT.replace("17", "017"),
  "size +17": TEXT.replace("17", "+17"),
  "size -17": TEXT.replace("17", "-17"),
  "size -0": TEXT.replace("17", "-0"),
  "size 0x11": TEXT.replace("17", "0x11"),
  "size 17.0": TEXT.replace("17", "17.0"),
  "size 1e1": TEXT.replace("17", "1e1"),
  "size 17 and a space": TEXT.replace("17", "17 "),
  "size after a space": TEXT.replace("17", " 17"),
  "size with a carriage return": TEXT.replace("17", "17\r"),
  "size in other digits": TEXT.replace("17", "１７"),
  "size with a separator": TEXT.replace("17", "1_7"),
  "size 2^53": TEXT.replace("17", "9007199254740992"),
  "size 2^64": TEXT.replace("17", "18446744073709551616"),
  "size NaN": TEXT.replace("17", "NaN"),
  "root empty": TEXT.replace(b64, ""),
  "root of 31 bytes": TEXT.replace(b64, ROOT.subarray(1).toString("base64")),
  "root of 33 bytes": TEXT.replace(
    b64,
    Buffer.concat([ROOT, ROOT.subarray(0, 1)]).toString("base64"),
  ),
  "root without padding": TEXT.replace("=", ""),
  "root with two paddings": TEXT.replace("=", "=="),
  "root with loose bits": TEXT.replace(
    /.=\n/,
    (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=\n`,
  ),
  "root in hex": TEXT.replace(b64, ROOT.toString("hex")),
  "root in base64url": `${ORIGIN}\n17\n${Buffer.alloc(32, 0xfb).toString("base64url")}=\n`,
  "root with a space": TEXT.replace(b64, `${b64} `),
  "root in two lines": TEXT.replace(b64, `${b64.slice(0, 20)}\n${b64.slice(20)}`),
  "size 0 with another root": TEXT.replace("17", "0"),
};

describe("a malformed checkpoint is refused:", () => {
  test.each(Object.keys(malformed))("%s", async (name) => {
    const text = malformed[name] ?? "";
    expect(parseCheckpoint(text)).toMatchObject({ allowed: false, code: "TLOG_CHECKPOINT" });
    // Even if the log's own key signed it.
    const note = await signNote(text === "" || !text.endsWith("\n") ? `${text}\n` : text, [signer]);
    expect(
      openCheckpoint(note.replace("\n\n\n", "\n\n"), keys).allowed && text.trim() !== TEXT.trim(),
    ).toBe(false);
  });
});

test("text that is no checkpoint is not written", () => {
  expect(() => formatCheckpoint({ origin: "a\nb", size: 1, root: ROOT })).toThrow(
    "not a checkpoint",
  );
  expect(() => formatCheckpoint({ origin: ORIGIN, size: -1, root: ROOT })).toThrow(
    "not a checkpoint",
  );
  expect(() => formatCheckpoint({ origin: ORIGIN, size: 1, root: ROOT.subarray(1) })).toThrow(
    "not a checkpoint",
  );
});

describe("cosignatures", () => {
  const wallMs = (): number => 1_679_315_147_999;

  test("of type 04 sign the time and the whole text", async () => {
    const witness = createNoteSigner(
      { name: "w1.example", privateKey: generateKeyPairSync("ed25519").privateKey, type: 0x04 },
      { wallMs },
    );
    const note = await signNote(TEXT, [signer, witness]);
    const opened = openCheckpoint(note, [...keys, keyOf(witness)]);
    if (!opened.allowed) throw new Error(opened.reason);
    expect(opened.value.note.verified.map(({ timestamp }) => timestamp)).toEqual([
      undefined,
      1_679_315_147n,
    ]);
    expect(openCheckpoint(note.replace("17", "18"), [keyOf(witness)]).allowed).toBe(false);
  });

  const hasMlDsa = ((): boolean => {
    try {
      generateKeyPairSync("ml-dsa-44" as "ed25519");
      return true;
    } catch {
      return false;
    }
  })();

  test.skipIf(!hasMlDsa)(
    "of type 06 (ML-DSA-44; skipped where this Node.js has it not) sign the tree",
    async () => {
      const { privateKey } = generateKeyPairSync("ml-dsa-44" as "ed25519");
      const witness = createNoteSigner({ name: "w2.example", privateKey, type: 0x06 }, { wallMs });
      const note = await signNote(TEXT, [signer, witness]);
      const key = keyOf(witness);
      expect(openCheckpoint(note, [key])).toMatchObject({ allowed: true });
      for (const changed of [
        note.replace("17", "18"),
        note.replace(ORIGIN, "log.example/other"),
        note.replace(b64, sha256().toString("base64")),
      ]) {
        expect(openCheckpoint(changed, [key])).toMatchObject({
          allowed: false,
          code: "TLOG_SIGNATURE",
        });
      }
      await expect(signNote("no checkpoint\n", [witness])).rejects.toMatchObject({
        code: "TLOG_OPTION",
      });
    },
  );

  test("without a time, or with one beyond 2^63, are none", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    for (const wallSeconds of [0, 2 ** 63]) {
      const witness = createNoteSigner(
        { name: "w1.example", privateKey, type: 0x04 },
        { wallMs: () => wallSeconds * 1000 },
      );
      expect(openCheckpoint(await signNote(TEXT, [witness]), [keyOf(witness)])).toMatchObject({
        allowed: false,
      });
    }
  });
});

describe("a proof that stands alone", async () => {
  const grown = grow(300);
  const tree = createTileTree(300, sourceOf(grown));
  const checkpoint = await signNote(
    formatCheckpoint({ origin: ORIGIN, size: 300, root: await tree.rootAt(300) }),
    [signer],
  );
  const entry = grown.entries[150] ?? Buffer.alloc(0);
  const proof = formatTlogProof({ index: 150, hashes: await tree.proveInclusion(150), checkpoint });
  const open = (note: string) => openCheckpoint(note, keys);

  test("verifies for its entry and its key only", () => {
    expect(verifyTlogProof(proof, entry, open)).toMatchObject({
      allowed: true,
      value: { index: 150 },
    });
    expect(verifyTlogProof(proof, Buffer.from("other"), open)).toMatchObject({
      code: "TLOG_PROOF",
    });
    expect(verifyTlogProof(proof, entry, (note) => openCheckpoint(note, []))).toMatchObject({
      code: "TLOG_SIGNATURE",
    });
  });

  test("may carry opaque bytes", () => {
    const parsed = parseTlogProof(
      formatTlogProof({ extra: Buffer.from("extra"), index: 0, hashes: [], checkpoint }),
    );
    expect(parsed).toMatchObject({
      allowed: true,
      value: { extra: Buffer.from("extra"), index: 0, hashes: [] },
    });
  });

  test.each([
    ["another header", (text: string) => text.replace("@v1", "@v2")],
    ["no index", (text: string) => text.replace(/index.*\n/, "")],
    ["index 0150", (text: string) => text.replace("150", "0150")],
    ["another index", (text: string) => text.replace("index 150", "index 151")],
    ["a hash less", (text: string) => text.replace(/^\S{44}\n/m, "")],
    ["a hash more", (text: string) => text.replace(/^(\S{44}\n)/m, "$1$1")],
    ["a hash that is none", (text: string) => text.replace(/^\S{44}\n/m, "hash\n")],
    ["64 hashes", (text: string) => text.replace(/^(\S{44}\n)/m, (hash) => hash.repeat(64))],
    ["extra that is no base64", (text: string) => text.replace("index", "extra !\nindex")],
    ["no checkpoint", (text: string) => text.slice(0, text.indexOf("\n\n"))],
    ["carriage returns", (text: string) => text.replaceAll("\n", "\r\n")],
    ["far too long", (text: string) => text + "x".repeat(500_000)],
  ])("is refused with %s", (_, change) => {
    expect(verifyTlogProof(change(proof), entry, open).allowed).toBe(false);
  });

  test("reading anything never throws", () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) =>
          !parseTlogProof(text).allowed &&
          !parseTlogProof(`c2sp.org/tlog-proof@v1\nindex 0\n\n${text}`).allowed,
      ),
    );
  });
});

describe("evidence of a fork", async () => {
  const grown = grow(300);
  const tree = createTileTree(300, sourceOf(grown));
  const checkpointOf = (size: number, root: Uint8Array): Promise<string> =>
    signNote(formatCheckpoint({ origin: ORIGIN, size, root }), [signer]);
  const newer = await checkpointOf(300, await tree.rootAt(300));
  const forked = await checkpointOf(200, treeHash(grown.entries.slice(1, 201)));
  const honest = await checkpointOf(200, await tree.rootAt(200));
  const parts = {
    newer,
    rootAtOlder: await tree.rootAt(200),
    proof: await tree.proveConsistency(200),
  };

  test("convinces whoever has the log's key", () => {
    expect(verifyForkEvidence(formatForkEvidence({ older: forked, ...parts }), keys)).toMatchObject(
      { allowed: true },
    );
    const same = {
      older: newer,
      newer: newer.replace(/^.*$/s, newer),
      rootAtOlder: sha256(),
      proof: [],
    };
    expect(verifyForkEvidence(formatForkEvidence(same), keys).allowed).toBe(false);
  });

  test("of two roots of one size needs no proof", async () => {
    const other = await checkpointOf(300, ROOT);
    const evidence = { older: other, newer, rootAtOlder: await tree.rootAt(300), proof: [] };
    expect(verifyForkEvidence(formatForkEvidence(evidence), keys)).toMatchObject({ allowed: true });
  });

  test("cannot be made against an honest log", async () => {
    const attempts = [
      { older: honest, ...parts },
      { older: honest, ...parts, rootAtOlder: ROOT },
      { older: forked, ...parts, proof: [] },
      { older: newer, newer: honest, rootAtOlder: ROOT, proof: [] },
      {
        older: await signNote(
          formatCheckpoint({ origin: "other.example", size: 200, root: ROOT }),
          [signer],
        ),
        ...parts,
      },
    ];
    for (const attempt of attempts) {
      expect(verifyForkEvidence(formatForkEvidence(attempt), keys)).toMatchObject({
        allowed: false,
      });
    }
    expect(verifyForkEvidence(formatForkEvidence({ older: forked, ...parts }), [])).toMatchObject({
      allowed: false,
    });
  });

  test("that is malformed is refused and never throws", () => {
    const good = formatForkEvidence({ older: forked, ...parts });
    for (const bad of [
      "",
      "{}",
      "[]",
      "null",
      good.replace("v1", "v2"),
      good.replace('"older"', '"elder"'),
      good.replace('"proof":[', '"proof":[1,'),
    ]) {
      expect(verifyForkEvidence(bad, keys).allowed).toBe(false);
    }
  });
});
