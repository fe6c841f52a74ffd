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

/** Answers what the file says that the input names in the first granted folder; nothing if it may not. */
const READER = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $range (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (i32.const 0))
  (func (export "_start")
    (drop (call $read (i32.const 0) (call $range (i32.const 64) (i32.const 100)) (i32.const 1) (i32.const 8)))
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.load (i32.const 8))
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)) (then (return)))
    (drop (call $read (i32.load (i32.const 16)) (call $range (i32.const 256) (i32.const 100)) (i32.const 1) (i32.const 8)))
    (drop (call $write (i32.const 1) (call $range (i32.const 256) (i32.load (i32.const 8))) (i32.const 1) (i32.const 8)))))`;

/** Makes the request that is its input, and answers the body of the response. */
const FETCHER = `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "input_length" (func $size (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input (param i64) (result i32)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (import "extism:host/env" "http_request" (func $request (param i64 i64) (result i64)))
  (func (export "fetch") (result i32) (local $at i64) (local $block i64)
    (local.set $block (call $alloc (call $size)))
    (loop $next
      (call $store (i64.add (local.get $block) (local.get $at)) (call $input (local.get $at)))
      (local.set $at (i64.add (local.get $at) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $at) (call $size))))
    (local.set $block (call $request (local.get $block) (i64.const 0)))
    (call $output (local.get $block) (call $length (local.get $block)))
    (i32.const 0)))`;

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
