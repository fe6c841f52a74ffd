/** @module CWE-345, CWE-494: an id that nobody signed is anybody's, and its approval must not be. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ApprovalStore } from "@glovebox/runtime";
import { buildPluginPackage } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { ECHO, flatPlugin, openRuntime, TRAP } from "../open-runtime.ts";

type Approval = Parameters<ApprovalStore["save"]>[0];

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test("swapped bytes under an approved id and version get nothing of what was approved", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "glovebox-swapped-")));
  const kept = new Map<string, Approval>();
  const approvals: ApprovalStore = {
    sealKey: new Uint8Array(32).fill(7),
    list: () => [...kept.values()],
    save: async (approval) => void kept.set(approval.pluginId, approval),
    remove: async (pluginId) => void kept.delete(pluginId),
  };
  const roots = [{ guest: "/data", host: folder, allowRead: true, allowWrite: false }];
  const capabilities = {
    filesystem: { allow_read: true, allow_write: false, allowed_paths: ["/data"] },
  };
  const packageOf = async (body: string): Promise<Map<string, Uint8Array>> => {
    const wasm = flatPlugin({ run: body });
    await using plugin = await buildPluginPackage({ id: "asks", wasm, capabilities });
    return new Map(plugin.files);
  };
  const good = await packageOf(ECHO);
  /** A new start of the host with the same approvals, as after the swap of a file. */
  async function start(files: ReadonlyMap<string, Uint8Array>) {
    await using host = await openRuntime({ approvals, policy: { filesystem: { roots } } });
    const loaded = await host.runtime.load({ files });
    const { pending } = host.runtime.approvals();
    const [waits] = pending;
    if (waits !== undefined && kept.size === 0)
      await host.runtime.approve("asks", { operator: "ann", requestDigest: waits.requestDigest });
    const grants = host.runtime.list().map(({ grantId }) => grantId);
    return { code: loaded.ok ? "loaded" : loaded.error.code, pending, grants };
  }
  try {
    expect((await start(good)).code).toBe("BROKER_APPROVAL");
    const [approval] = kept.values();
    expect(approval?.publisher).toMatch(/^unsigned sha256:[0-9a-f]{64}$/);
    expect((await start(good)).code).toBe("loaded");

    const manifest = Buffer.from(good.get("plugin.yaml") ?? []).toString();
    const swaps = [
      await packageOf(TRAP),
      new Map(good).set("plugin.yaml", encode(`${manifest}\n# the same in other bytes\n`)),
      new Map(good).set("more.txt", encode("a file that was not there")),
    ];
    for (const files of swaps) {
      const swapped = await start(files);
      expect([swapped.code, swapped.grants]).toEqual(["BROKER_APPROVAL", []]);
      // All that it asks is new, for nobody has said yes to these bytes.
      expect(swapped.pending).toMatchObject([{ changes: ["+ may now also read from /data"] }]);
      expect(swapped.pending[0]?.publisher).not.toBe(approval?.publisher);
      expect(swapped.pending[0]?.requestDigest).not.toBe(approval?.requestDigest);
    }
    expect((await start(good)).code).toBe("loaded");
  } finally {
    await rm(folder, { recursive: true });
  }
});
