import { generateKeyPairSync } from "node:crypto";

import { formatCheckpoint } from "@glovebox/tlog/checkpoint";
import { createNoteSigner, type NoteSigner, signNote } from "@glovebox/tlog/note";
import { checkQuorum, parsePolicy, type TlogPolicy } from "@glovebox/tlog/policy";
import fc from "fast-check";
import { expect, test } from "vitest";

import { sha256 } from "./reference-tree.ts";

const ORIGIN = "log.example";
const log = signerOf(ORIGIN, 0x01);
const witnesses = ["x1", "x2", "x3", "y1"].map((name) => signerOf(`${name}.example`, 0x04));
const [x1, x2, x3, y1] = witnesses as [NoteSigner, NoteSigner, NoteSigner, NoteSigner];
const TEXT = formatCheckpoint({ origin: ORIGIN, size: 3, root: sha256() });
const POLICY = `# the example of tlog-policy
log ${log.vkey} https://log.example/
\twitness x1 ${x1.vkey} https://x1.example
witness x2 ${x2.vkey}
witness x3 ${x3.vkey}

witness y1 ${y1.vkey}
group X 2 x1 x2 x3
group both all X y1
quorum both
`;

function signerOf(name: string, type: 0x01 | 0x04): NoteSigner {
  return createNoteSigner({ name, privateKey: generateKeyPairSync("ed25519").privateKey, type });
}

function policyOf(text: string): TlogPolicy {
  const policy = parsePolicy(text);
  if (!policy.allowed) throw new Error(policy.reason);
  return policy.value;
}

test("a quorum of groups is met by enough of each", async () => {
  const policy = policyOf(POLICY);
  expect(policy.witnesses.get("x1")?.url).toBe("https://x1.example");
  const answers = new Map<readonly NoteSigner[], boolean>([
    [[x1, x2, y1], true],
    [[x1, x2, x3, y1], true],
    [[x1, y1], false],
    [[x1, x1, y1], false],
    [[x1, x2, x3], false],
    [[], false],
  ]);
  for (const [signers, expected] of answers) {
    const decision = checkQuorum(await signNote(TEXT, [log, ...signers]), policy);
    expect(decision).toMatchObject(
      expected ? { allowed: true } : { allowed: false, code: "TLOG_QUORUM" },
    );
  }
});

test("without a signature of a log the quorum is not asked for", async () => {
  const policy = policyOf(POLICY);
  expect(checkQuorum(await signNote(TEXT, [x1, x2, y1]), policy)).toMatchObject({
    code: "TLOG_SIGNATURE",
  });
  const elsewhere = formatCheckpoint({ origin: "other.example", size: 3, root: sha256() });
  expect(checkQuorum(await signNote(elsewhere, [log, x1, x2, y1]), policy)).toMatchObject({
    code: "TLOG_SIGNATURE",
  });
});

test("quorum none asks for no witness", async () => {
  const policy = policyOf(`log ${log.vkey}\nquorum none\n`);
  expect(checkQuorum(await signNote(TEXT, [log]), policy)).toMatchObject({
    allowed: true,
    value: { witnesses: [] },
  });
});

test.each([
  ["nothing", ""],
  ["no quorum", POLICY.replace("quorum both\n", "")],
  ["two quorums", `${POLICY}quorum none\n`],
  ["an unknown keyword", `${POLICY}foo\n`],
  ["an upper-case keyword", POLICY.replace("quorum", "Quorum")],
  ["a quorum that is not defined", POLICY.replace("quorum both", "quorum other")],
  ["a quorum before its definition", `quorum X\n${POLICY.replace("quorum both\n", "")}`],
  ["a group before its members", `group X any x1\nwitness x1 ${x1.vkey}\nquorum X\n`],
  ["a member in two groups", POLICY.replace("all X y1", "all X y1 x1")],
  ["a member twice", POLICY.replace("2 x1 x2 x3", "2 x1 x1 x3")],
  ["a threshold of 0", POLICY.replace("X 2", "X 0")],
  ["a threshold above the members", POLICY.replace("X 2", "X 4")],
  ["a threshold of 02", POLICY.replace("X 2", "X 02")],
  ["a group without members", POLICY.replace("2 x1 x2 x3", "all")],
  ["none as a member", POLICY.replace("all X y1", "all X none")],
  ["none as a name", POLICY.replaceAll("x1 ", "none ")],
  ["a name twice", POLICY.replace("witness x2", "witness x1")],
  ["a key twice", POLICY.replace(x2.vkey, x1.vkey)],
  ["a witness with a log's key", POLICY.replace(x1.vkey, signerOf("x1.example", 0x01).vkey)],
  ["a log with a witness's key", POLICY.replace(log.vkey, signerOf(ORIGIN, 0x04).vkey)],
  ["a malformed key", POLICY.replace(log.vkey, log.vkey.slice(1))],
  ["too many words", POLICY.replace("https://log.example/", "https://log.example/ more")],
  ["a carriage return", POLICY.replace("\n", "\r\n")],
  ["no final line feed", POLICY.slice(0, -1)],
  [
    "65 witnesses",
    `${Array.from({ length: 65 }, (_, at) => `witness w${at} ${signerOf(`w${at}`, 0x04).vkey}\n`).join("")}quorum none\n`,
  ],
  ["too many bytes", `#${"x".repeat(524_288)}\nquorum none\n`],
])("a policy with %s is refused", (_, text) => {
  expect(parsePolicy(text)).toMatchObject({ allowed: false, code: "TLOG_POLICY" });
});

test("all problems are named at once", () => {
  const decision = parsePolicy("foo\nbar\n");
  expect(decision.allowed ? "" : decision.reason).toMatch(
    /line 1: .*; line 2: .*; it has no quorum line/,
  );
});

test("reading anything never throws", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      (text) => !parsePolicy(`${text}\nquorum x\n`).allowed,
    ),
  );
});
