import { generateKeyPairSync, sign } from "node:crypto";

import {
  createNoteSigner,
  isKeyName,
  openNote,
  parseNote,
  parseVerifierKey,
  signNote,
  type VerifierKey,
} from "@glovebox/tlog/note";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** The example of C2SP signed-note. */
const VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
/** The example of Go's golang.org/x/mod/sumdb/note. */
const GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

function keyOf(vkey: string): VerifierKey {
  const key = parseVerifierKey(vkey);
  if (!key.allowed) throw new Error(key.reason);
  return key.value;
}

test.each([
  ["C2SP signed-note", VKEY, NOTE],
  ["Go's note package", GO_VKEY, GO_NOTE],
])("opens the example of %s", (_, vkey, note) => {
  const opened = openNote(note, [keyOf(vkey)]);
  expect(opened).toMatchObject({ allowed: true, value: { ignored: [] } });
  expect(openNote(note.replace("T", "t").replace("I", "i"), [keyOf(vkey)])).toMatchObject({
    code: "TLOG_SIGNATURE",
  });
});

test("what it signs, it opens; another key's signature is ignored", async () => {
  const mine = createNoteSigner({
    name: "log.example",
    privateKey: generateKeyPairSync("ed25519").privateKey,
  });
  const other = createNoteSigner({
    name: "log.example",
    privateKey: generateKeyPairSync("ed25519").privateKey,
  });
  const note = await signNote("text\n\nwith an empty line\n", [other, mine, mine]);
  const opened = openNote(note, [keyOf(mine.vkey)]);
  if (!opened.allowed) throw new Error(opened.reason);
  expect(opened.value.text).toBe("text\n\nwith an empty line\n");
  expect(opened.value.verified).toHaveLength(1);
  expect(opened.value.ignored).toHaveLength(1);
  expect(openNote(note, [])).toMatchObject({ code: "TLOG_SIGNATURE" });
});

test("one wrong signature of a known key spoils the note", async () => {
  const signers = [0, 1].map((at) =>
    createNoteSigner({
      name: `log${at}.example`,
      privateKey: generateKeyPairSync("ed25519").privateKey,
    }),
  );
  const note = await signNote("text\n", signers);
  const [first = "", second = ""] = note.split("\n\n")[1]?.split("\n") ?? [];
  const forged = note.replace(second, second.replace(/.{4}$/, first.slice(-4)));
  expect(
    openNote(
      forged,
      signers.map(({ vkey }) => keyOf(vkey)),
    ),
  ).toMatchObject({ code: "TLOG_SIGNATURE" });
});

test("an Ed25519 signature is none of a cosignature, and the other way round", async () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
  const asLog = createNoteSigner({ name: "a.example", privateKey });
  const asWitness = createNoteSigner({ name: "a.example", privateKey, type: 0x04 });
  const note = await signNote(text, [asLog]);
  const swapped = note.replace(/— a.example \S+/, () => {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(asWitness.keyId);
    return `— a.example ${Buffer.concat([id, Buffer.alloc(8, 1), sign(null, Buffer.from(text), privateKey)]).toString("base64")}`;
  });
  expect(openNote(swapped, [keyOf(asWitness.vkey)])).toMatchObject({ code: "TLOG_SIGNATURE" });
});

const line = NOTE.slice(NOTE.indexOf("—"));
const malformed: Readonly<Record<string, string | Uint8Array>> = {
  empty: "",
  "no empty line": `text\n${line}`,
  "no text": `\n${line}`,
  "no signatures": "text\n\n",
  "no final line feed": NOTE.slice(0, -1),
  "hyphen for em dash": NOTE.replace("—", "-"),
  "en dash for em dash": NOTE.replace("—", "–"),
  "two spaces": NOTE.replace("— ", "—  "),
  "tab for space": NOTE.replace("— ", "—\t"),
  "no-break space for space": NOTE.replace("— ", "—\u00a0"),
  "carriage returns": NOTE.replaceAll("\n", "\r\n"),
  "NUL in the text": NOTE.replace("This", "Th\0is"),
  "escape in the text": NOTE.replace("This", "\u001b[31mThis"),
  "lone surrogate": NOTE.replace("This", "\ud800"),
  "invalid UTF-8": Buffer.concat([Buffer.of(0xff), Buffer.from(NOTE)]),
  "overlong UTF-8": Buffer.concat([Buffer.of(0xc0, 0x8a), Buffer.from(NOTE)]),
  "key name with plus": NOTE.replace("example.com/foo", "example.com+foo"),
  "key name empty": NOTE.replace("example.com/foo", ""),
  "base64 without padding": NOTE.replace("aQM=", "aQM"),
  "base64 with loose bits": NOTE.replace("aQM=", "aQN="),
  "base64 of the URL kind": GO_NOTE.replaceAll("/", "_"),
  "space after the signature": NOTE.replace("aQM=\n", "aQM= \n"),
  "four bytes of signature": NOTE.replace(/Uw2Q.*/, "Uw2QOg=="),
  "text after the signatures": `${NOTE}more\n`,
  "a line between signatures": NOTE.replace(line, `${line}more\n${line}`),
  "65 signatures": NOTE.replace(line, line.repeat(65)),
  "too long": `${"x".repeat(262_144)}${NOTE}`,
};

describe("a malformed note is refused:", () => {
  test.each(Object.keys(malformed))("%s", (name) => {
    expect(parseNote(malformed[name] ?? "")).toMatchObject({ allowed: false, code: "TLOG_NOTE" });
    expect(openNote(malformed[name] ?? "", [keyOf(VKEY)]).allowed).toBe(false);
  });
});

test("sixteen and sixty-four signatures are read", () => {
  for (const count of [16, 64]) {
    expect(parseNote(NOTE.replace(line, line.repeat(count)))).toMatchObject({ allowed: true });
  }
});

const malformedKeys: Readonly<Record<string, string>> = {
  empty: "",
  "no id": VKEY.replace("+530d903a", ""),
  "upper-case id": VKEY.replace("530d903a", "530D903A"),
  "another id": VKEY.replace("530d903a", "530d903b"),
  "another name": VKEY.replace("foo", "bar"),
  "no name": VKEY.slice("example.com/foo".length),
  "space in the name": VKEY.replace("foo", "f oo"),
  "no key": VKEY.slice(0, 25),
  "key cut": VKEY.slice(0, -4),
  "unknown type": `example.com/foo+530d903a+${Buffer.alloc(33, 2).toString("base64")}`,
  "line feed at the end": `${VKEY}\n`,
  "too long": `${"x".repeat(5000)}${VKEY}`,
};

describe("a malformed vkey is refused:", () => {
  test.each(Object.keys(malformedKeys))("%s", (name) => {
    expect(parseVerifierKey(malformedKeys[name] ?? "")).toMatchObject({
      allowed: false,
      code: "TLOG_KEY",
    });
  });
});

test.each(["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\tb", "a\nb", "a\u2028b", "\ud800"])(
  "%j is no name of a key",
  (name) => {
    expect(isKeyName(name)).toBe(false);
  },
);

test("a name of a key may have letters of any script", () => {
  expect(isKeyName("müller.example/log")).toBe(true);
});

test("a signer takes only a private key of its type and a name that a key may have", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  expect(() => createNoteSigner({ name: "a b", privateKey })).toThrow("no spaces");
  expect(() => createNoteSigner({ name: "a", privateKey: publicKey })).toThrow("private key");
  expect(() => createNoteSigner({ name: "a", privateKey: p256 })).toThrow("private key");
  expect(() => createNoteSigner({ name: "a", privateKey, type: 0x06 })).toThrow("private key");
});

test("reading anything never throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), (text, bytes) => {
      expect(parseNote(`${text}\n\n— ${text} AAAA\n`).allowed).toBe(false);
      expect(parseNote(bytes).allowed).toBe(false);
      expect(parseVerifierKey(text).allowed).toBe(false);
    }),
  );
});
