/** @module Real plugins in processes of their own, called over a real loopback port. */
import { once } from "node:events";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { refuse } from "@glovebox/core/decision";
import { createHostApp } from "@glovebox/host";
import { PluginRuntime } from "@glovebox/runtime";
import { buildPluginPackage } from "@glovebox/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type HostServer, listen } from "../src/http/server.ts";
import { MAX_INPUT_BYTES } from "../src/limits.ts";

const PLUGIN = `(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1))
  (func (export "trap") (param i32 i32) (result i32 i32) unreachable)
  (func (export "spin") (param i32 i32) (result i32 i32) (loop $again (br $again)) unreachable)
  (func (export "outside") (param i32 i32) (result i32 i32) (i32.const -1) (i32.const 2147483647)))`;
const CALLER = `(module
  (import "extism:host/user" "ask" (func $ask))
  (func (export "ask") (result i32) (call $ask) (i32.const 0)))`;

let directory = "";
let runtime: PluginRuntime;
let server: HostServer;
let base = "";

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "glovebox-host-")));
  runtime = await PluginRuntime.open({
    audit: { directory },
    validation: { requireSignatures: false },
    resources: { defaultCpuLimitMs: 100 },
    hostFunctions: {
      ask: {
        parameters: [],
        result: "none",
        call: async () => refuse("TEST_REFUSED", "test", "a secret reason"),
      },
    },
  });
  for (const options of [
    { id: "flat", wasm: PLUGIN },
    { id: "quarantined", wasm: PLUGIN },
    { id: "caller", wasm: CALLER, abi: "extism" as const },
  ]) {
    await using plugin = await buildPluginPackage(options);
    const loaded = await runtime.load(plugin.path);
    if (!loaded.ok) throw new Error(`${loaded.error.code}: ${loaded.error.message}`);
  }
  await runtime.quarantine("quarantined", "a test");
  const app = createHostApp({ runtime });
  server = await listen((request) => app.fetch(request), "127.0.0.1", 0);
  base = `http://127.0.0.1:${server.port}`;
});

afterAll(async () => {
  await server.close(1_000);
  await runtime.close();
  await rm(directory, { recursive: true, force: true });
});

function call(plugin: string, name: string, body: string | Uint8Array): Promise<Response> {
  const type = typeof body === "string" ? "application/json" : "application/octet-stream";
  return fetch(`${base}/plugins/${plugin}/functions/${name}`, {
    method: "POST",
    headers: { "content-type": type },
    body: typeof body === "string" ? body : new Uint8Array(body),
  });
}

test("JSON goes in and comes out with its usage", async () => {
  const response = await call("flat", "echo", '{"input":{"a":["ü"]}}');
  expect(await response.json()).toMatchObject({
    output: { a: ["ü"] },
    usage: { inputBytes: 12, outputBytes: 12, networkRequests: 0 },
  });
});

test("bytes go in and come out as they are", async () => {
  const response = await call("flat", "echo", Uint8Array.of(0, 255, 10));
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(0, 255, 10));
  expect(JSON.parse(response.headers.get("glovebox-usage") ?? "{}")).toMatchObject({
    inputBytes: 3,
  });
});

describe("what goes wrong is one coded problem, and the next call works", () => {
  test.each([
    ["a trap", "flat", "trap", 422, "SANDBOX_TRAP"],
    ["an output outside the memory", "flat", "outside", 422, "SANDBOX_OUTPUT_RANGE"],
    ["a missing function", "flat", "nothing", 404, "SANDBOX_EXPORT_MISSING"],
    ["a missing plugin", "none", "echo", 404, "RUNTIME_PLUGIN_UNKNOWN"],
    ["a plugin id that is a path", "..%2f..%2fetc", "echo", 404, "RUNTIME_PLUGIN_UNKNOWN"],
    ["a quarantined plugin", "quarantined", "echo", 503, "RUNTIME_QUARANTINED"],
    ["a refused host call", "caller", "ask", 403, "SANDBOX_HOST_CALL_REFUSED"],
    ["an endless loop", "flat", "spin", 504, "SANDBOX_CPU_LIMIT"],
  ])("%s", async (_what, plugin, name, status, code) => {
    const response = await call(plugin, name, '{"input":1}');
    const problem = (await response.json()) as { readonly detail: string };
    expect([response.status, problem]).toMatchObject([status, { code }]);
    expect(problem.detail).not.toContain("secret");
    expect((await call("flat", "echo", '{"input":1}')).status).toBe(200);
  });

  test("a body beyond the limit", async () => {
    const response = await call("flat", "echo", new Uint8Array(MAX_INPUT_BYTES + 1));
    expect([response.status, await response.json()]).toMatchObject([
      413,
      { code: "HOST_BODY_SIZE" },
    ]);
  });

  test("a context that is malformed", async () => {
    const response = await call("flat", "echo", '{"context":{"role":"admin"},"input":1}');
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: "RUNTIME_CONTEXT" },
    ]);
  });
});

test("the page counts calls and denials", async () => {
  const text = await (await fetch(base)).text();
  const cells =
    /<td>caller<\/td>.*?<td class="number">(\d+)<\/td><td class="number">(\d+)<\/td>/.exec(text);
  expect(cells?.slice(1).map(Number)).toEqual([1, expect.any(Number)]);
  expect(text).toContain("quarantined: ");
});

describe("what is no proper request does not reach the API", () => {
  test.each([
    [
      "a head that is too large",
      `GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ["no Host", "GET /livez HTTP/1.1\r\n\r\n", 400],
    ["a rebound name", "GET /plugins HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421],
    [
      "a rebound name as an address",
      "GET http://evil.example/plugins HTTP/1.1\r\nHost: evil.example\r\n\r\n",
      421,
    ],
    [
      "two lengths",
      "POST /plugins/flat/functions/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
  ])("%s", async (_what, head, status) => {
    const socket = connect(server.port, "127.0.0.1");
    socket.end(head);
    const [first] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(first.toString("latin1")).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

test("a port that is taken is a coded error", async () => {
  await expect(listen(() => new Response(), "127.0.0.1", server.port)).rejects.toMatchObject({
    code: "HOST_LISTEN",
  });
});

test("closing waits for a request that is being answered", async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: answered, resolve: answer } = Promise.withResolvers<Response>();
  const own = await listen(
    () => {
      begin();
      return answered;
    },
    "127.0.0.1",
    0,
  );
  const response = fetch(`http://127.0.0.1:${own.port}/`);
  await begun;
  const closed = own.close(10_000);
  answer(new Response("late"));
  expect(await (await response).text()).toBe("late");
  expect(await closed).toBe(true);
});

test("closing cuts a request that does not end", async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const never = (): Promise<Response> => {
    begin();
    return new Promise(() => undefined);
  };
  const own = await listen(never, "127.0.0.1", 0);
  const socket = connect(own.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await begun;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  socket.on("error", () => undefined).on("close", () => end());
  expect(await own.close(1)).toBe(false);
  await ended;
  expect(socket.destroyed).toBe(true);
});
