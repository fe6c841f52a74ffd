/** A log whose key is replaced by its owner. */
import { verifyAuditLog } from "@glovebox/auditor";
import { expect, test } from "vitest";

import { logDirectory, newSigner, SIGNER } from "../fixture.ts";

test("a rotated key is followed from an anchor, a key and a policy of before it", async () => {
  await using directory = await logDirectory();
  const log = await directory.openLog();
  await (
    await log.append("one")
  ).sealed;
  const since = log.checkpoint();
  await log.close();
  const next = newSigner();
  const rotated = await directory.openLog({ signers: [next, SIGNER] });
  await rotated.append("two");
  await rotated.close();
  const alone = await directory.openLog({ signers: [next] });
  await alone.append("three");
  await alone.close();
  const later = alone.checkpoint();
  const whole = { ok: true, size: 3 };
  const policy = `log ${SIGNER.vkey}\nquorum none\n`;
  expect(await verifyAuditLog(directory.path, { since })).toMatchObject({ ...whole, fresh: true });
  expect(await verifyAuditLog(directory.path, { key: SIGNER.vkey })).toMatchObject(whole);
  expect(await verifyAuditLog(directory.path, { policy })).toMatchObject(whole);
  const stranger = newSigner();
  expect(await verifyAuditLog(directory.path, { key: stranger.vkey })).toMatchObject({
    ok: false,
    kind: "DIVERGED",
  });
  // Whoever has the old key later does not continue what the new one signed.
  const old = await directory.openLog();
  await old.append("four");
  await old.close();
  expect(await verifyAuditLog(directory.path, { since: later })).toMatchObject({
    ok: false,
    kind: "DIVERGED",
  });
});
