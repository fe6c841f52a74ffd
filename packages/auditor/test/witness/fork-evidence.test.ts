/**
 * A log that shows two histories: the witness cosigns one of them only, and whoever has seen both keeps
 * evidence that needs neither the log nor the witness.
 */
import { generateKeyPairSync } from "node:crypto";
import { cp, rm } from "node:fs/promises";

import { verifyAuditLog } from "@glovebox/auditor";
import { openWitness } from "@glovebox/auditor/witness";
import { verifyForkEvidence } from "@glovebox/tlog/checkpoint";
import { createNoteSigner, parseVerifierKey } from "@glovebox/tlog/note";
import { expect, test } from "vitest";

import { logDirectory, newSigner, SIGNER } from "../fixture.ts";

const own = parseVerifierKey(SIGNER.vkey);
const KEYS = own.allowed ? [own.value] : [];

test.each([
  ["of one size", 300],
  ["of which one is longer", 400],
])("two histories %s become evidence that stands alone", async (_, size) => {
  await using directory = await logDirectory();
  const log = await directory.openLog();
  for (let n = 0; n < 280; n += 1) await log.append(`common ${n}`);
  await log.close();
  const forked = `${directory.path}-forked`;
  await cp(directory.path, forked, { recursive: true });
  const first = await directory.openLog();
  for (let n = 280; n < 300; n += 1) await first.append(`shown ${n}`);
  await first.seal();
  const shown = first.checkpoint();
  await first.close();

  await rm(directory.path, { recursive: true });
  await cp(forked, directory.path, { recursive: true });
  const second = await directory.openLog();
  for (let n = 280; n < size; n += 1) await second.append(`hidden ${n}`);
  await second.seal();
  const hidden = second.checkpoint();
  const proof = (await second.proveConsistency(280, size)).map(
    (hash) => `${Buffer.from(hash).toString("base64")}\n`,
  );
  await second.close();

  const { privateKey } = generateKeyPairSync("ed25519");
  const signer = createNoteSigner({ name: "witness.example/w1", privateKey, type: 0x04 });
  const options = { directory: `${directory.path}-witness`, logs: [SIGNER.vkey] };
  await using witness = await openWitness(options, { signer });
  const asked = async (body: string): Promise<number> =>
    (await witness.addCheckpoint(Buffer.from(body))).status;
  expect(await asked(`old 0\n\n${shown}`)).toBe(200);
  expect(await asked(`old 300\n${proof.join("")}\n${hidden}`)).toBe(422);

  const report = await verifyAuditLog(directory.path, { since: shown });
  expect(report).toMatchObject({ ok: false, kind: "DIVERGED", firstBadIndex: 299 });
  const evidence = report.evidence ?? "";
  // From here on without log and witness.
  await rm(directory.path, { recursive: true });
  expect(verifyForkEvidence(evidence, KEYS)).toMatchObject({
    allowed: true,
    value: { older: shown, newer: hidden },
  });
  // It accuses nobody else, and cannot be made of what is no fork.
  const other = parseVerifierKey(newSigner().vkey);
  expect(verifyForkEvidence(evidence, other.allowed ? [other.value] : []).allowed).toBe(false);
  const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
  for (const changed of [
    evidence.replace(inJson(hidden), inJson(shown)),
    evidence.replace(/("rootAtOlder":")./, "$1_"),
  ]) {
    expect(changed).not.toBe(evidence);
    expect(verifyForkEvidence(changed, KEYS).allowed).toBe(false);
  }
});

test("a whole log, and one of another key, make no evidence", async () => {
  await using directory = await logDirectory();
  const log = await directory.openLog();
  await log.append("one");
  await log.seal();
  const since = log.checkpoint();
  await log.close();
  expect(await verifyAuditLog(directory.path, { since })).toMatchObject({
    ok: true,
    evidence: null,
  });
  await rm(directory.path, { recursive: true });
  const other = await directory.openLog({ signers: [newSigner()] });
  await other.append("two");
  await other.close();
  const report = await verifyAuditLog(directory.path, { since });
  expect(report).toMatchObject({ kind: "DIVERGED", evidence: null });
});
