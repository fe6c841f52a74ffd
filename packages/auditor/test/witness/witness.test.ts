import { generateKeyPairSync, hash } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { verifyAuditLog } from "@glovebox/auditor";
import {
  createWitnessServer,
  openWitness,
  requestCosignatures,
  type Witness,
} from "@glovebox/auditor/witness";
import {
  formatCheckpoint,
  formatForkEvidence,
  verifyForkEvidence,
} from "@glovebox/tlog/checkpoint";
import { createNoteSigner, type NoteSigner, parseVerifierKey, signNote } from "@glovebox/tlog/note";
import { checkQuorum, parsePolicy, type TlogPolicy } from "@glovebox/tlog/policy";
import { expect, test } from "vitest";

import { type LogDirectory, logDirectory, ORIGIN, SIGNER } from "../fixture.ts";

/** A log and a witness over loopback HTTP. */
interface Lab extends AsyncDisposable {
  readonly directory: LogDirectory;
  readonly witness: Witness;
  readonly signer: NoteSigner;
  readonly url: string;
  readonly policy: TlogPolicy;
  readonly policyText: string;
  post(body: string): Promise<readonly [number, string, string]>;
}

async function lab(): Promise<Lab> {
  const directory = await logDirectory();
  const { privateKey } = generateKeyPairSync("ed25519");
  const signer = createNoteSigner({ name: "witness.example/w1", privateKey, type: 0x04 });
  const witness = await openWitness(
    { directory: `${directory.path}-witness`, logs: [SIGNER.vkey] },
    { signer },
  );
  const server = createWitnessServer(witness).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const policyText = `log ${SIGNER.vkey}\nwitness w1 ${signer.vkey} ${url}\nquorum w1\n`;
  const policy = parsePolicy(policyText);
  if (!policy.allowed) throw new Error(policy.reason);
  return {
    directory,
    witness,
    signer,
    url,
    policy: policy.value,
    policyText,
    async post(body) {
      const response = await fetch(`${url}/add-checkpoint`, { method: "POST", body });
      return [response.status, await response.text(), response.headers.get("content-type") ?? ""];
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await witness.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test("a log has its checkpoints cosigned as it grows, and the quorum is met offline", async () => {
  await using host = await lab();
  const log = await host.directory.openLog();
  expect(checkQuorum(log.checkpoint(), host.policy)).toMatchObject({ code: "TLOG_QUORUM" });
  for (let round = 0; round < 3; round += 1) {
    for (let entry = 0; entry < 200; entry += 1) await log.append(`${round} ${entry}`);
    await log.seal();
    const cosigned = await requestCosignatures(log, host.policy);
    if (!cosigned.allowed) throw new Error(cosigned.reason);
    expect(checkQuorum(cosigned.value, host.policy)).toMatchObject({
      allowed: true,
      value: { witnesses: ["w1"] },
    });
    const latest = await fetch(`${host.url}/${hash("sha256", ORIGIN)}/checkpoint`);
    expect(checkQuorum(await latest.text(), host.policy)).toMatchObject({ allowed: true });
    await writeFile(join(host.directory.path, "..", "cosigned"), cosigned.value);
  }
  const again = await requestCosignatures(log, host.policy);
  expect(again.allowed).toBe(true);
  await log.close();
  // A checkpoint that was cosigned is an anchor like any other.
  const since = again.allowed ? again.value : "";
  expect(await verifyAuditLog(host.directory.path, { since, key: SIGNER.vkey })).toMatchObject({
    ok: true,
    fresh: true,
  });
  // The published one has no cosignature, which a policy with a quorum says.
  expect(await verifyAuditLog(host.directory.path, { policy: host.policyText })).toMatchObject({
    ok: false,
    kind: "INVALID",
  });
});

test("a witness that is gone, slow or lies leaves the quorum unmet", async () => {
  await using host = await lab();
  const log = await host.directory.openLog();
  const answers: (() => Promise<Response>)[] = [
    () => Promise.reject(new Error("gone")),
    async () => new Response("", { status: 500 }),
    async () => new Response("— witness.example/w1 AAAAAAAA\n"),
    async () => new Response("x".repeat(100_000)),
    async () => new Response("99\n", { status: 409 }),
    async () => new Response("0\n", { status: 409 }),
  ];
  for (const answer of answers) {
    expect(await requestCosignatures(log, host.policy, answer)).toMatchObject({
      allowed: false,
      code: "TLOG_QUORUM",
    });
  }
  await log.close();
});

test("what is wrong with a request is answered as tlog-witness says", async () => {
  await using host = await lab();
  const log = await host.directory.openLog();
  await log.append("one");
  await log.seal();
  const first = log.checkpoint();
  expect((await host.post(`old 0\n\n${first}`))[0]).toBe(200);
  for (let entry = 0; entry < 10; entry += 1) await log.append("more");
  await log.seal();
  const next = log.checkpoint();
  const forked = await signNote(
    formatCheckpoint({ origin: ORIGIN, size: 11, root: Buffer.alloc(32, 7) }),
    [SIGNER],
  );
  const foreign = await signNote(
    formatCheckpoint({ origin: "other.example", size: 1, root: Buffer.alloc(32) }),
    [SIGNER],
  );
  const proof = (await log.proveConsistency(1, 11))
    .map((line) => `${Buffer.from(line).toString("base64")}\n`)
    .join("");
  const unsigned = next.replace(/(— \S+ \S{8})./, "$1A").replace(/....\n$/, "AAA=\n");
  const answers: readonly (readonly [string, number])[] = [
    ["", 400],
    ["old 1\n", 400],
    [`old 01\n\n${next}`, 400],
    [`old 1\n${"A".repeat(44)}\n\n${next}`, 400],
    [`old 1\n${proof.repeat(30)}\n${next}`, 400],
    [`old 12\n\n${next}`, 400],
    [`old 0\n\n${next}`, 409],
    [`old 1\n\n${foreign}`, 404],
    [`old 1\n${proof}\n${unsigned}`, 403],
    [`old 1\n\n${next}`, 422],
    [`old 1\n${proof}\n${forked}`, 422],
    [`old 1\n${proof}\n${next}`, 200],
    // The same size again, and another root for it.
    [`old 11\n\n${next}`, 200],
    [`old 11\n\n${forked}`, 422],
    [`old 1\n${proof}\n${next}`, 409],
  ];
  for (const [body, status] of answers)
    expect([body, (await host.post(body))[0]]).toEqual([body, status]);
  expect(await host.post(`old 1\n${proof}\n${next}`)).toEqual([409, "11\n", "text/x.tlog.size"]);
  expect((await host.post("x".repeat(300_000)))[0]).toBe(413);
  expect((await fetch(`${host.url}/other`)).status).toBe(404);
  await log.close();
});

test("of two rivals for one old size, one is cosigned", async () => {
  await using host = await lab();
  const rivals = await Promise.all(
    [1, 2].map((byte) =>
      signNote(formatCheckpoint({ origin: ORIGIN, size: 5, root: Buffer.alloc(32, byte) }), [
        SIGNER,
      ]),
    ),
  );
  const answers = await Promise.all(rivals.map((rival) => host.post(`old 0\n\n${rival}`)));
  expect(answers.map(([status]) => status).sort((a, b) => a - b)).toEqual([200, 409]);
  // What the two say to whoever has the log's key.
  const [older = "", newer = ""] = rivals;
  const evidence = formatForkEvidence({
    older,
    newer,
    rootAtOlder: Buffer.alloc(32, 2),
    proof: [],
  });
  const key = parseVerifierKey(SIGNER.vkey);
  expect(key.allowed && verifyForkEvidence(evidence, [key.value]).allowed).toBe(true);
});

test("a witness remembers across its restart, and does not go on without its memory", async () => {
  await using host = await lab();
  const log = await host.directory.openLog();
  await log.append("one");
  await log.seal();
  const note = log.checkpoint();
  await log.close();
  const options = { directory: `${host.directory.path}-second`, logs: [SIGNER.vkey] };
  const first = await openWitness(options, { signer: host.signer });
  expect((await first.addCheckpoint(Buffer.from(`old 0\n\n${note}`))).status).toBe(200);
  await first.close();
  const second = await openWitness(options, { signer: host.signer });
  expect((await second.addCheckpoint(Buffer.from(`old 0\n\n${note}`))).status).toBe(409);
  await writeFile(join(options.directory, hash("sha256", ORIGIN)), "torn");
  await expect(second.addCheckpoint(Buffer.from(`old 0\n\n${note}`))).rejects.toMatchObject({
    code: "AUDITOR_LOG_INVALID",
  });
  await second.close();
});

test("a witness needs a witness's key", async () => {
  await using directory = await logDirectory();
  const options = { directory: directory.path, logs: [SIGNER.vkey] };
  await expect(openWitness(options, { signer: SIGNER })).rejects.toMatchObject({
    code: "AUDITOR_OPTION",
  });
  await expect(openWitness({ ...options, logs: ["x"] }, { signer: SIGNER })).rejects.toMatchObject({
    code: "AUDITOR_OPTION",
  });
});
