/** @module Calls over HTTP: contract.md 4, with a runtime in memory. */
import { describe, expect, test } from "vitest";

import { failure, fakeHost, success, USAGE } from "./fake-runtime.ts";

const code = async (response: Response): Promise<readonly [number, unknown]> => [
  response.status,
  ((await response.json()) as { readonly code: unknown }).code,
];

describe("a call as JSON", () => {
  test("passes on plugin, function, context and input, with the host's time", async () => {
    const host = fakeHost();
    const context = { requestId: "r", userId: "u", custom: { a: 1, now: 5 } };
    const response = await host.post({ context, input: { b: [2] } });
    expect(response.status).toBe(200);
    const given = { ...context, custom: { a: 1, now: 1_000 } };
    expect(host.calls).toEqual([["echo", "run", given, { b: [2] }]]);
  });

  test.each([
    ["JSON as JSON", '{"a": [1]}', { a: [1] }],
    ["text as a string", "hello", "hello"],
    ["nothing as the empty string", "", ""],
    ["null as null", "null", null],
    ["JSON after a byte order mark as a string", "\ufeff{}", "\ufeff{}"],
  ])("answers %s", async (_what, output, expected) => {
    const response = await fakeHost(success(output)).post({ input: null });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ output: expected, usage: USAGE });
  });

  test("does not change a number of the plugin on its way", async () => {
    const response = await fakeHost(success("[1.10, 1e2]")).post({ input: 1 });
    expect(await response.text()).toContain('"output":[1.10, 1e2],');
  });

  test("answers an output that is not UTF-8 with an error and its usage", async () => {
    const response = await fakeHost(success(Uint8Array.of(0xff))).post({ input: 1 });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "HOST_OUTPUT_ENCODING", usage: USAGE });
  });

  test("answers an output that is nested without end as a string", async () => {
    const output = "[".repeat(100_000) + "]".repeat(100_000);
    const response = await fakeHost(success(output)).post({ input: 1 });
    expect(await response.json()).toMatchObject({ output });
  });

  test.each([
    ["no JSON", "{", 400, "JSON_SYNTAX"],
    ["a key twice", '{"input":1,"input":2}', 400, "JSON_DUPLICATE_KEY"],
    ["__proto__", '{"input":{"__proto__":1}}', 400, "JSON_PROTO_KEY"],
    ["nested too deeply", `{"input":${"[".repeat(80)}${"]".repeat(80)}}`, 400, "JSON_DEPTH"],
    ["a list too long", `{"input":[${"0,".repeat(500_000)}0]}`, 400, "JSON_ITEM_COUNT"],
    ["no object", "[]", 400, "HOST_BODY"],
    ["without input", "{}", 400, "HOST_BODY"],
    ["with another member", '{"input":1,"tenantId":"a"}', 400, "HOST_BODY"],
    ["with a context that is no object", '{"context":null,"input":1}', 400, "HOST_BODY"],
    ["with a tenant", '{"context":{"tenantId":"a"},"input":1}', 400, "HOST_TENANT"],
    ["with an empty tenant", '{"context":{"tenantId":null},"input":1}', 400, "HOST_TENANT"],
  ])("refuses a body that is %s", async (_what, body, status, expected) => {
    const host = fakeHost();
    expect(await code(await host.post(body))).toEqual([status, expected]);
    expect(host.calls).toEqual([]);
  });

  test("leaves a custom that is no object to the runtime", async () => {
    const host = fakeHost();
    await host.post({ context: { custom: "x" }, input: 1 });
    expect(host.calls[0]?.[2]).toEqual({ custom: "x" });
  });
});

describe("a call as bytes", () => {
  test("passes bytes both ways, and the usage in a header", async () => {
    const host = fakeHost(success(Uint8Array.of(0, 255)));
    const response = await host.request("/plugins/a-b/functions/f", {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: Uint8Array.of(255, 0),
    });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(0, 255));
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(JSON.parse(response.headers.get("glovebox-usage") ?? "")).toEqual(USAGE);
    const [[id, name, context, input] = []] = host.calls;
    expect([id, name, context, new Uint8Array(input as Uint8Array)]).toEqual([
      "a-b",
      "f",
      {},
      Uint8Array.of(255, 0),
    ]);
  });
});

describe("a failed call", () => {
  test("is a problem with the public message, never the operator's", async () => {
    const response = await fakeHost(failure("SANDBOX_TRAP")).post({ input: 1 });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Unprocessable Entity",
      status: 422,
      code: "SANDBOX_TRAP",
      detail: "for callers",
      usage: USAGE,
    });
  });

  test.each([
    ["whole seconds, rounded up", { retryAfterMs: 1_200 }, "2"],
    ["at least one second", { retryAfterMs: 3 }, "1"],
    ["one second where nobody knows", {}, "1"],
    ["one second where waiting does not help", { retryAfterMs: Infinity }, "1"],
  ])("over a rate says when to come again: %s", async (_what, details, expected) => {
    const response = await fakeHost(failure("LIMITER_RATE", details)).post({ input: 1 });
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, expected]);
  });

  test("with a code that nobody knows is the host's fault", async () => {
    expect(await code(await fakeHost(failure("NEW")).post({ input: 1 }))).toEqual([500, "NEW"]);
  });

  test("that throws is an internal error without a message", async () => {
    const runtime = { executePluginFunction: () => Promise.reject(new Error("secret path")) };
    const response = await fakeHost(undefined, { runtime }).post({ input: 1 });
    expect(response.status).toBe(500);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const text = await response.text();
    expect(text).toContain("HOST_INTERNAL");
    expect(text).not.toContain("secret");
  });
});

test("while the host shuts down, calls are refused and readiness is gone", async () => {
  const host = fakeHost(undefined, { isClosing: () => true });
  const refused = await host.post({ input: 1 });
  expect(refused.headers.get("connection")).toBe("close");
  expect(await code(refused)).toEqual([503, "HOST_CLOSING"]);
  expect((await host.request("/readyz")).status).toBe(503);
  expect((await host.request("/livez")).status).toBe(200);
});
