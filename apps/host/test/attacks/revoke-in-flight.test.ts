/**
 * @module An operator takes an approval back while a request runs and a file is open (CWE-613): the
 * socket is cut, the handle is closed, the plugin gets a code, and the log says when it took effect.
 */
import { once } from "node:events";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createHostApp } from "@glovebox/host";
import { type ApprovalStore, PluginRuntime } from "@glovebox/runtime";
import { buildPluginPackage, recordingDecisionLog } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { listen } from "../../src/http/server.ts";
import { HOLDER } from "../reaching-plugins.ts";

const TOKEN = "a token of this test";

test("taking an approval back reaches the request and the file that are open", async () => {
  await using undo = new AsyncDisposableStack();
  const folder = await realpath(await mkdtemp(join(tmpdir(), "glovebox-revoke-")));
  undo.defer(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "rates.txt"), "1 EUR = 1.10 USD");
  // Takes a request and never answers.
  const upstream = createServer();
  undo.defer(() => void upstream.close());
  await once(upstream.listen(0, "127.0.0.1"), "listening");
  const { port } = upstream.address() as AddressInfo;
  const log = recordingDecisionLog();
  const kept = new Map<string, ReturnType<ApprovalStore["list"]>[number]>();
  const runtime = await PluginRuntime.open({
    validation: { requireSignatures: false },
    approvals: {
      sealKey: new Uint8Array(32).fill(7),
      list: () => [...kept.values()],
      save: async (approval) => void kept.set(approval.pluginId, approval),
      remove: async (pluginId) => void kept.delete(pluginId),
    },
    policy: {
      network: {
        allowHttpOutbound: true,
        allowedHosts: [`127.0.0.1:${port}`],
        allowInsecureHttp: true,
        privateCidrs: ["127.0.0.0/8"],
      },
      filesystem: {
        roots: [{ guest: "/data", host: folder, allowRead: true, allowWrite: false }],
      },
    },
    deps: { decisionLog: log, broker: { localAddresses: () => [] } },
  });
  undo.use(runtime);
  await using plugin = await buildPluginPackage({
    id: "holder",
    abi: "extism",
    wasm: HOLDER,
    capabilities: {
      network: { allow_http_outbound: true, allowed_hosts: ["127.0.0.1"], ports: [port] },
      filesystem: { allow_read: true, allowed_paths: ["/data"] },
    },
  });
  expect(await runtime.load(plugin.path)).toMatchObject({ error: { code: "BROKER_APPROVAL" } });
  const app = createHostApp({ runtime, operatorToken: TOKEN });
  const server = await listen((request) => app.fetch(request), "127.0.0.1", 0);
  undo.defer(() => void server.close(1_000));
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(body),
    });
  const [pending] = runtime.approvals().pending;
  const yes = { operator: "ann", requestDigest: pending?.requestDigest };
  expect((await post("/approvals/holder/approve", yes)).status).toBe(200);

  const arrived = once(upstream, "request") as Promise<[IncomingMessage]>;
  const url = `http://127.0.0.1:${port}/held`;
  const call = post("/plugins/holder/functions/fetch", { input: { url, method: "GET" } });
  const [request] = await arrived;
  const cut = once(request.socket, "close");
  const step = (name: string) =>
    log.events.map(({ event }) => event).filter(({ details }) => details?.["step"] === name);
  expect(step("file.open")).toHaveLength(1);
  expect(step("file.close")).toEqual([]);

  const before = Date.now();
  const revoked = await post("/approvals/holder/revoke", { operator: "ann" });
  expect(await revoked.json()).toEqual({ revoked: true });
  await cut;
  const answer = await call;
  expect([answer.status, await answer.json()]).toMatchObject([
    403,
    { code: "SANDBOX_HOST_CALL_REFUSED", detail: expect.stringContaining("BROKER_REVOKED") },
  ]);
  expect(step("file.close")).toMatchObject([{ code: "BROKER_REVOKED", success: false }]);
  expect(step("network.response")).toMatchObject([{ code: "BROKER_REVOKED", success: false }]);
  const [ended] = step("capability.revoke");
  expect(ended).toMatchObject({ kind: "revoke", details: { why: "BROKER_REVOKED" } });
  // The exchange and the handle, at the least; and a moment between the order and its answer.
  expect(ended?.details?.["ended"]).toBeGreaterThanOrEqual(2);
  expect(ended?.details?.["effectiveMs"]).toBeGreaterThanOrEqual(before);
  expect(ended?.details?.["effectiveMs"]).toBeLessThanOrEqual(Date.now());
  expect(log.events.at(-1)?.event.kind).toBe("call");
  expect(log.events.map(({ event }) => event.actor)).toContain("operator:ann");
});
