/** @module Both capabilities through the whole host: a granted file and a granted server, called over HTTP. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createHostApp } from "@glovebox/host";
import { PluginRuntime } from "@glovebox/runtime";
import { buildPluginPackage } from "@glovebox/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

import { FETCHER, READER } from "./reaching-plugins.ts";

let folder = "";
let port = 0;
let upstream: Server;
let runtime: PluginRuntime;
const seen: string[] = [];

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "glovebox-capabilities-")));
  await writeFile(join(folder, "rates.txt"), "1 EUR = 1.10 USD");
  upstream = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end("from the server");
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  ({ port } = upstream.address() as AddressInfo);
  runtime = await PluginRuntime.open({
    audit: { directory: join(folder, "audit") },
    validation: { requireSignatures: false },
    policy: {
      network: {
        allowHttpOutbound: true,
        allowedHosts: [`127.0.0.1:${port}`],
        // Named loosenings, for a server of this test.
        allowInsecureHttp: true,
        privateCidrs: ["127.0.0.0/8"],
      },
      filesystem: {
        roots: [{ guest: "/data", host: folder, allowRead: true, allowWrite: false }],
      },
    },
    // The host's own addresses beat every grant; this host says that it has none.
    deps: { broker: { localAddresses: () => [] } },
  });
  const reading = { filesystem: { allow_read: true, allowed_paths: ["/data"] } };
  const reaching = {
    network: {
      allow_http_outbound: true,
      allowed_hosts: ["127.0.0.1"],
      ports: [port],
      path_prefixes: ["/rates"],
    },
  };
  for (const options of [
    { id: "reader", abi: "wasi" as const, wasm: READER, capabilities: reading },
    { id: "blind", abi: "wasi" as const, wasm: READER },
    { id: "fetcher", abi: "extism" as const, wasm: FETCHER, capabilities: reaching },
    { id: "alone", abi: "extism" as const, wasm: FETCHER },
  ]) {
    await using plugin = await buildPluginPackage(options);
    const loaded = await runtime.load(plugin.path);
    if (!loaded.ok) throw new Error(`${loaded.error.code}: ${loaded.error.message}`);
  }
});

afterAll(async () => {
  await runtime.close();
  upstream.close();
  await rm(folder, { recursive: true, force: true });
});

async function call(plugin: string, name: string, input: string) {
  const app = createHostApp({ runtime });
  const response = await app.request(`/plugins/${plugin}/functions/${name}`, {
    method: "POST",
    headers: { host: "127.0.0.1", "content-type": "application/octet-stream" },
    body: input,
  });
  const usage: unknown = JSON.parse(response.headers.get("glovebox-usage") ?? "{}");
  return { status: response.status, text: await response.text(), usage };
}

test("a plugin reads a granted file, and one without a grant reads nothing", async () => {
  expect(await call("reader", "_start", "rates.txt")).toMatchObject({
    status: 200,
    text: "1 EUR = 1.10 USD",
    usage: { fileOperations: expect.any(Number) },
  });
  expect(await call("blind", "_start", "rates.txt")).toMatchObject({ status: 200, text: "" });
});

test("a plugin reaches a granted path of a granted server, and nothing else", async () => {
  const request = (path: string): string =>
    JSON.stringify({ url: `http://127.0.0.1:${port}${path}`, method: "GET" });
  expect(await call("fetcher", "fetch", request("/rates/today"))).toMatchObject({
    status: 200,
    text: "from the server",
    usage: { networkRequests: 1 },
  });
  expect((await call("fetcher", "fetch", request("/admin"))).status).toBe(403);
  expect((await call("alone", "fetch", request("/rates/today"))).status).toBe(403);
  expect(seen).toEqual(["GET /rates/today"]);
});
