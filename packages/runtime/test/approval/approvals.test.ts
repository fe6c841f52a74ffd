/** @module A plugin that asks for a capability is loaded when a sealed approval covers it, and not before. */
import { writeFileSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { JsonValue } from "@glovebox/core/json";
import type { ApprovalStore, RuntimeConfig } from "@glovebox/runtime";
import { generateKeyPair, signPackage } from "@glovebox/signer";
import { buildPluginPackage, recordingDecisionLog } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { afterEach, beforeEach, expect, test } from "vitest";

import { ECHO, flatPlugin, openRuntime } from "../open-runtime.ts";

const wasm = flatPlugin({ run: ECHO });
const reading = { allow_read: true, allow_write: false, allowed_paths: ["/data"] };
const writing = { ...reading, allow_write: true };
type Approval = Parameters<ApprovalStore["save"]>[0];

let folder = "";
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "glovebox-approvals-")));
});

afterEach(() => rm(folder, { recursive: true }));

/** A store in memory. */
function memoryStore(sealKey = new Uint8Array(32).fill(7)): ApprovalStore & {
  readonly kept: Map<string, Approval>;
} {
  const kept = new Map<string, Approval>();
  return {
    sealKey,
    kept,
    list: () => [...kept.values()],
    save: async (approval) => void kept.set(approval.pluginId, approval),
    remove: async (pluginId) => void kept.delete(pluginId),
  };
}

async function openHost(approvals: ApprovalStore, config: RuntimeConfig = {}) {
  const roots = [{ guest: "/data", host: folder, allowRead: true, allowWrite: true }];
  const host = await openRuntime({ approvals, policy: { filesystem: { roots } }, ...config });
  return Object.assign(host, {
    /** Loads a version that asks for this; answers `loaded` or the code. */
    async ask(version: string, filesystem: JsonValue, sign?: Parameters<typeof signPackage>[1]) {
      const capabilities = { filesystem };
      await using plugin = await buildPluginPackage({ id: "asks", version, wasm, capabilities });
      const files = new Map(plugin.files);
      if (sign !== undefined) files.set("plugin.sigstore.json", signPackage(files, sign));
      const result = await host.runtime.load({ files });
      return result.ok ? "loaded" : result.error.code;
    },
    async approve(): Promise<string> {
      const [pending] = host.runtime.approvals().pending;
      if (pending === undefined) throw new Error("nothing waits");
      const { pluginId, requestDigest } = pending;
      const result = await host.runtime.approve(pluginId, { operator: "ann", requestDigest });
      return result.ok ? "loaded" : result.error.code;
    },
    decisions: async () =>
      (await host.events())
        .filter(({ details }) => String(details?.["step"]).startsWith("capability.appro"))
        .map(({ kind, success, code, actor }) => [kind, success, code ?? actor]),
  });
}

test("nothing is granted before an operator has said yes, and every step is in the log", async () => {
  const store = memoryStore();
  await using host = await openHost(store);
  expect(await host.ask("1.0.0", reading)).toBe("BROKER_APPROVAL");
  expect(host.runtime.list()).toEqual([]);
  expect(host.runtime.approvals()).toEqual({
    approved: [],
    pending: [
      {
        pluginId: "asks",
        version: "1.0.0",
        publisher: expect.stringMatching(/^unsigned sha256:[0-9a-f]{64}$/),
        reason: "asks: nobody approved it",
        changes: ["+ may now also read from /data"],
        requestDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ],
  });
  expect(await host.approve()).toBe("loaded");
  expect(host.runtime.list()).toMatchObject([{ id: "asks", warnings: [] }]);
  expect(host.runtime.approvals()).toMatchObject({
    pending: [],
    approved: [{ pluginId: "asks", operator: "ann", isSealed: true }],
  });
  expect(await host.decisions()).toEqual([
    ["grant", false, "BROKER_APPROVAL"],
    ["operator", true, "operator:ann"],
    ["grant", true, undefined],
  ]);
});

test("a wider update waits while the old version serves; a narrower one needs no new yes", async () => {
  const { publicKey, privateKey } = generateKeyPair();
  const trust = { trustedKeys: [{ publicKey, identity: "Example" }] };
  const config = { validation: { requireSignatures: true }, trust };
  await using host = await openHost(memoryStore(), config);
  const signed = (version: string) => ({ pluginId: "asks", version, privateKey });
  await host.ask("1.0.0", reading, signed("1.0.0"));
  await host.approve();
  expect(await host.ask("1.1.0", writing, signed("1.1.0"))).toBe("BROKER_APPROVAL");
  expect(host.runtime.list()).toMatchObject([{ version: "1.0.0", state: "ready" }]);
  expect(host.runtime.approvals().pending).toMatchObject([
    { changes: ["+ may now also write to /data"] },
  ]);
  expect(await host.approve()).toBe("loaded");
  expect(host.runtime.list()).toMatchObject([{ version: "1.1.0" }]);
  expect(await host.ask("1.2.0", reading, signed("1.2.0"))).toBe("loaded");
});

test("another key, also under the same name, needs a new yes", async () => {
  const [one, two] = [generateKeyPair(), generateKeyPair()];
  const trustedKeys = [one, two].map(({ publicKey }) => ({ publicKey, identity: "Example" }));
  const config = { validation: { requireSignatures: true }, trust: { trustedKeys } };
  await using host = await openHost(memoryStore(), config);
  const signedBy = (privateKey: typeof one.privateKey, version: string) => ({
    pluginId: "asks",
    version,
    privateKey,
  });
  await host.ask("1.0.0", reading, signedBy(one.privateKey, "1.0.0"));
  expect(await host.approve()).toBe("loaded");
  expect(await host.ask("1.1.0", reading, signedBy(one.privateKey, "1.1.0"))).toBe("loaded");
  expect(await host.ask("1.2.0", reading, signedBy(two.privateKey, "1.2.0"))).toBe(
    "BROKER_APPROVAL",
  );
  expect(host.runtime.approvals().pending).toMatchObject([
    {
      reason: expect.stringMatching(/^asks: the publisher has changed; approved is Example /),
      changes: ["+ may now also read from /data"],
    },
  ]);
});

test.each<readonly [string, (approval: Approval) => Approval]>([
  ["a wider request", (approval) => ({ ...approval, request: asked(true) })],
  ["another publisher", (approval) => ({ ...approval, publisher: "Example 1234" })],
  ["another seal", (approval) => ({ ...approval, seal: Buffer.alloc(32).toString("base64") })],
  ["no sense", () => ({ pluginId: "asks", seal: 7 }) as unknown as Approval],
])("a stored approval that was changed to %s is nobody's", async (_name, change) => {
  const store = memoryStore();
  {
    await using host = await openHost(store);
    await host.ask("1.0.0", reading);
    await host.approve();
  }
  const [kept] = store.list();
  if (kept === undefined) throw new Error("nothing was kept");
  store.kept.set("asks", change(kept));
  await using host = await openHost(store);
  expect(await host.ask("1.0.1", writing)).toBe("BROKER_APPROVAL");
  expect(await host.ask("1.0.1", reading)).toBe("BROKER_APPROVAL");
  expect(host.runtime.list()).toEqual([]);
  expect(host.runtime.approvals()).toMatchObject({ approved: [{ isSealed: false }] });
  expect(await host.decisions()).toEqual([
    ["grant", false, "BROKER_APPROVAL"],
    ["grant", false, "BROKER_APPROVAL"],
  ]);
});

test("an approval under another host's key is nobody's here", async () => {
  const store = memoryStore();
  {
    await using host = await openHost(store);
    await host.ask("1.0.0", reading);
    await host.approve();
  }
  const other = Object.assign(store, { sealKey: new Uint8Array(32).fill(8) });
  await using host = await openHost(other);
  expect(await host.ask("1.0.0", reading)).toBe("BROKER_APPROVAL");
});

test("a yes to what was read is no yes to what came after", async () => {
  await using host = await openHost(memoryStore());
  await host.ask("1.0.0", reading);
  const [read] = host.runtime.approvals().pending;
  await host.ask("1.0.0", writing);
  const order = { operator: "ann", requestDigest: read?.requestDigest ?? "" };
  expect(await host.runtime.approve("asks", order)).toMatchObject({
    error: { code: "RUNTIME_APPROVAL_CHANGED" },
  });
  expect(await host.runtime.approve("nobody", order)).toMatchObject({
    error: { code: "RUNTIME_APPROVAL_UNKNOWN" },
  });
  await expect(host.runtime.approve("asks", { ...order, operator: "a\nb" })).rejects.toThrowCode(
    "RUNTIME_USAGE",
  );
  expect(host.runtime.list()).toEqual([]);
});

test("a yes to one publisher's request is no yes to the same request of another", async () => {
  const [ann, mallory] = [generateKeyPair(), generateKeyPair()];
  const trustedKeys = [
    { publicKey: ann.publicKey, identity: "Ann" },
    { publicKey: mallory.publicKey, identity: "Mallory" },
  ];
  const config = { validation: { requireSignatures: true }, trust: { trustedKeys } };
  await using host = await openHost(memoryStore(), config);
  const sign = { pluginId: "asks", version: "1.0.0" };
  await host.ask("1.0.0", reading, { ...sign, privateKey: ann.privateKey });
  const [read] = host.runtime.approvals().pending;
  await host.ask("1.0.0", reading, { ...sign, privateKey: mallory.privateKey });
  const order = { operator: "ann", requestDigest: read?.requestDigest ?? "" };
  expect(await host.runtime.approve("asks", order)).toMatchObject({
    error: { code: "RUNTIME_APPROVAL_CHANGED" },
  });
  expect(host.runtime.list()).toEqual([]);
  expect(host.runtime.approvals().approved).toEqual([]);
});

test("a page that asks again and again has an approval put into words once", async () => {
  const store = memoryStore();
  await using host = await openHost(store);
  await host.ask("1.0.0", reading);
  await host.approve();
  const [kept] = store.list();
  if (kept === undefined) throw new Error("nothing was kept");
  let reads = 0;
  const { request, ...rest } = kept;
  const counted: Approval = {
    ...rest,
    get request() {
      reads += 1;
      return request;
    },
  };
  store.kept.set("asks", counted);
  const first = host.runtime.approvals();
  const once = reads;
  expect(host.runtime.approvals()).toEqual(first);
  expect([first.approved[0]?.isSealed, once > 0, reads]).toEqual([true, true, once]);
});

test("a yes that the log has lost is not kept", async () => {
  const log = recordingDecisionLog();
  const store = memoryStore();
  await using host = await openHost(store, { deps: { decisionLog: log } });
  await host.ask("1.0.0", reading);
  log.holdDurability();
  const approved = host.approve();
  await expect.poll(() => log.events.at(-1)?.event.actor).toBe("operator:ann");
  log.failDurability(new Error("ENOSPC"));
  expect(await approved).toBe("RUNTIME_NOT_RECORDED");
  expect(store.list()).toEqual([]);
});

test("an approval that is taken back while a wider one is written stays taken back", async () => {
  const log = recordingDecisionLog();
  const store = memoryStore();
  await using host = await openHost(store, { deps: { decisionLog: log } });
  await host.ask("1.0.0", reading);
  await host.approve();
  await host.ask("1.1.0", writing);
  log.holdDurability();
  const approved = host.approve();
  const revoked = host.runtime.revokeApproval("asks", "bob");
  await expect.poll(() => log.events.at(-1)?.event.actor).toBe("operator:bob");
  log.releaseDurability();
  expect([await approved, await revoked]).toEqual(["RUNTIME_APPROVAL_CHANGED", true]);
  expect(store.list()).toEqual([]);
});

test("what is loaded after a yes is what was read, whatever its folder holds by then", async () => {
  await using host = await openHost(memoryStore());
  const capabilities = { filesystem: reading };
  await using plugin = await buildPluginPackage({ id: "asks", wasm, capabilities });
  await host.runtime.load(plugin.path);
  writeFileSync(join(plugin.path, "plugin.wasm"), "swapped");
  expect(await host.approve()).toBe("loaded");
  expect(await host.call("asks", "run", "same bytes")).toBe("same bytes");
});

test("an approval that cannot be kept is no approval", async () => {
  const store = memoryStore();
  await using host = await openHost({
    ...store,
    save: () => Promise.reject(new Error("ENOSPC")),
  });
  await host.ask("1.0.0", reading);
  expect(await host.approve()).toBe("RUNTIME_APPROVAL_STORE");
  expect(host.runtime.list()).toEqual([]);
  expect((await host.events()).at(-1)).toMatchObject({
    kind: "operator",
    success: false,
    code: "RUNTIME_APPROVAL_STORE",
    actor: "operator:ann",
  });
});

test("taking an approval back ends the grants, and a new yes brings the same version back", async () => {
  const store = memoryStore();
  await using host = await openHost(store);
  await host.ask("1.0.0", reading);
  await host.approve();
  const [before] = host.runtime.list();
  expect(await host.runtime.revokeApproval("asks", "ann")).toBe(true);
  expect(await host.runtime.revokeApproval("asks", "ann")).toBe(false);
  expect(await host.runtime.revoke(before?.grantId ?? "")).toBe(false);
  expect(store.list()).toEqual([]);
  expect(host.runtime.approvals().pending).toMatchObject([
    { reason: "asks: ann took its approval back" },
  ]);
  expect((await host.events()).slice(-2)).toMatchObject([
    { kind: "revoke", pluginId: "asks" },
    { kind: "operator", actor: "operator:ann", details: { action: "approval.revoke" } },
  ]);
  // The plugin goes on; only a new start from its bytes needs the approval.
  expect(await host.call("asks", "run", "still there")).toBe("still there");
  expect(await host.approve()).toBe("loaded");
  expect(host.runtime.list()).toMatchObject([{ version: "1.0.0", processes: 1 }]);
  await expect.poll(() => host.runtime.list()[0]?.state).toBe("ready");
  expect(host.runtime.list()[0]?.grantId).not.toBe(before?.grantId);
});

test("a plugin that asks for no capability is asked nothing", async () => {
  await using host = await openHost(memoryStore());
  await host.load({
    id: "modest",
    wasm,
    capabilities: { resources: { max_memory_bytes: 655_360 } },
  });
  expect(host.runtime.list()).toMatchObject([{ id: "modest" }]);
});

function asked(allowWrite: boolean): Approval["request"] {
  return { filesystem: { allowRead: true, allowWrite, allowedPaths: ["/data"] } };
}
