/** @module The file of approvals: what is taken back stays so, and what is in it is no more than its form. */
import { chown, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { pluginDirectory } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

import { openApprovalFile } from "../../src/serve/approval-file.ts";

type Approval = ReturnType<Awaited<ReturnType<typeof openApprovalFile>>["list"]>[number];

const FILE = "approvals.json";

function approvalOf(pluginId: string, members: object = {}): Approval {
  const digest = "0".repeat(64);
  const rest = { publisher: "unsigned", request: {}, requestDigest: digest, operator: "ann" };
  return { pluginId, ...rest, approvedAtMs: 0, seal: "", ...members } as Approval;
}

test("an approval that is taken back while it waits for its turn is not kept", async () => {
  await using at = await pluginDirectory({});
  const store = await openApprovalFile(at.path, FILE);
  await store.save(approvalOf("one"));
  await Promise.all([
    store.save(approvalOf("two")),
    store.save(approvalOf("one", { operator: "bob" })),
    store.remove("one"),
  ]);
  const names = (approvals: readonly Approval[]) => approvals.map(({ pluginId }) => pluginId);
  expect(names(store.list())).toEqual(["two"]);
  expect(names((await openApprovalFile(at.path, FILE)).list())).toEqual(["two"]);
});

test("an approval that would make the file unreadable is not kept", async () => {
  await using at = await pluginDirectory({});
  const store = await openApprovalFile(at.path, FILE);
  await store.save(approvalOf("one"));
  const allowedHosts = Array.from({ length: 2_000 }, () => "h".repeat(10_000));
  const large = approvalOf("two", {
    request: { network: { allowHttpOutbound: true, allowedHosts } },
  });
  await expect(store.save(large)).rejects.toThrowCode("HOST_PRIVATE_FILE");
  expect((await openApprovalFile(at.path, FILE)).list()).toMatchObject([{ pluginId: "one" }]);
});

test("a time that is none is no approval's", async () => {
  await using at = await pluginDirectory({});
  const approvals = [approvalOf("one", { approvedAtMs: 1e300 })];
  await writeFile(join(at.path, FILE), JSON.stringify({ approvals }), { mode: 0o600 });
  await expect(openApprovalFile(at.path, FILE)).rejects.toThrowCode("HOST_PRIVATE_FILE");
});

test.runIf(process.geteuid?.() === 0)("another user's key seals nothing", async () => {
  await using at = await pluginDirectory({});
  const key = join(at.path, "approvals.key");
  await writeFile(key, new Uint8Array(32), { mode: 0o600 });
  await chown(key, 65_534, 65_534);
  await expect(openApprovalFile(at.path, FILE)).rejects.toThrowCode("HOST_PRIVATE_FILE");
});
