/** A log that publishes only what its witnesses have cosigned. */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { verifyAuditLog } from "@glovebox/auditor";
import { createCosigner, createWitnessServer, openWitness } from "@glovebox/auditor/witness";
import { createNoteSigner } from "@glovebox/tlog/note";
import { parsePolicy, type TlogPolicy } from "@glovebox/tlog/policy";
import { expect, test } from "vitest";

import { logDirectory, SIGNER } from "../fixture.ts";

const WITNESS = createNoteSigner({
  name: "witness.example/w1",
  privateKey: generateKeyPairSync("ed25519").privateKey,
  type: 0x04,
});

function policyOf(url: string): { readonly text: string; readonly policy: TlogPolicy } {
  const text = `log ${SIGNER.vkey}\nwitness w1 ${WITNESS.vkey} ${url}\nquorum w1\n`;
  const parsed = parsePolicy(text);
  if (!parsed.allowed) throw new Error(parsed.reason);
  return { text, policy: parsed.value };
}

test("the published checkpoint meets a quorum; without witnesses entries are durable, and not sealed", async () => {
  await using directory = await logDirectory();
  await using witness = await openWitness(
    { directory: `${directory.path}-witness`, logs: [SIGNER.vkey] },
    { signer: WITNESS },
  );
  const server = createWitnessServer(witness).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { text, policy } = policyOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  let isReachable = true;
  const cosign = createCosigner(policy, (url, init) =>
    isReachable ? fetch(url, init) : Promise.reject(new Error("unreachable")),
  );

  const log = await directory.openLog({ cosign });
  for (let round = 0; round < 3; round += 1) {
    for (let entry = 0; entry < 200; entry += 1) await log.append(`${round} ${entry}`);
    await log.seal();
    expect(await verifyAuditLog(directory.path, { policy: text })).toMatchObject({
      ok: true,
      size: 200 * (round + 1),
    });
  }
  isReachable = false;
  const { durable, sealed } = await log.append("alone");
  await expect(durable).resolves.toMatchObject({ index: 600 });
  await expect(sealed).rejects.toMatchObject({ code: "AUDITOR_SIGN" });
  expect(log.state()).toMatchObject({ durableSize: 601, sealedSize: 600 });
  await expect(log.close()).rejects.toMatchObject({ code: "AUDITOR_SIGN" });

  // Whoever opens it meanwhile has the entry, and what was published before.
  const alone = await directory.openLog({ cosign });
  expect(alone.state()).toMatchObject({ durableSize: 601, sealedSize: 600 });
  expect(await verifyAuditLog(directory.path, { policy: text })).toMatchObject({ size: 600 });
  isReachable = true;
  await alone.seal();
  expect(await verifyAuditLog(directory.path, { policy: text })).toMatchObject({
    ok: true,
    size: 601,
  });
  await alone.close();
  server.close();
  server.closeAllConnections();
});

test("a cosigner that answers another note is not published", async () => {
  await using directory = await logDirectory();
  const log = await directory.openLog({
    cosign: async (note) => ({ allowed: true, rule: "test", value: note.replace("1\n", "2\n") }),
  });
  await expect((await log.append("one")).sealed).rejects.toMatchObject({ code: "AUDITOR_SIGN" });
  expect(await verifyAuditLog(directory.path)).toMatchObject({ size: 0 });
  await expect(log.close()).rejects.toMatchObject({ code: "AUDITOR_SIGN" });
});
