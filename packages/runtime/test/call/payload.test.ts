import type { JsonValue } from "@glovebox/core/json";
import type { CallContext } from "@glovebox/runtime";
import { buildPluginPackage } from "@glovebox/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ECHO, flatPlugin, openRuntime, type TestRuntime } from "../open-runtime.ts";

let host: TestRuntime;

beforeAll(async () => {
  host = await openRuntime({ resources: { defaultWallLimitMs: 12_345 } });
  await host.load({
    id: "typed",
    version: "1.2.3",
    wasm: flatPlugin({
      run: ECHO,
      query_datasource: ECHO,
      broken: "(i32.const 0) (i32.const 2)",
      loose: ECHO,
      template_function: ECHO,
    }),
    functions: {
      run: {
        input: {
          type: "object",
          properties: { n: { type: "integer" } },
          required: ["n"],
          additionalProperties: false,
        },
        output: { type: "object" },
      },
      query_datasource: {
        input: {
          type: "object",
          properties: { q: { type: "string" } },
          additionalProperties: false,
        },
      },
      broken: { output: { type: "string" } },
      loose: { output: true },
    },
  });
});
afterAll(() => host[Symbol.asyncDispose]());

async function call(
  functionName: string,
  input: Uint8Array | JsonValue,
  context: CallContext = {},
) {
  const outcome = await host.runtime.executePluginFunction("typed", functionName, context, input);
  return outcome.ok
    ? (JSON.parse(Buffer.from(outcome.output).toString()) as unknown)
    : outcome.error;
}

test("checks an input against the function's schema, as JSON and as bytes", async () => {
  expect(await call("run", { n: 1 })).toEqual({ n: 1 });
  expect(await call("run", Buffer.from('{"n":1}'))).toEqual({ n: 1 });
  expect(await call("run", { n: "1" })).toMatchObject({ code: "RUNTIME_INPUT" });
  expect(await call("run", { n: 1, more: 2 })).toMatchObject({ code: "RUNTIME_INPUT" });
  expect(await call("run", Buffer.from('{"n":"1"}'))).toMatchObject({ code: "RUNTIME_INPUT" });
  expect(await call("run", Buffer.from('{"n":1,"n":2}'))).toMatchObject({ code: "RUNTIME_INPUT" });
  expect(await call("run", Buffer.from([0xff]))).toMatchObject({ code: "RUNTIME_INPUT" });
});

test("refuses an output that does not follow the function's schema", async () => {
  expect(await call("broken", "x")).toMatchObject({ code: "RUNTIME_OUTPUT" });
  expect(await call("loose", Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({
    code: "RUNTIME_OUTPUT",
  });
});

test("gives the four typed functions a context from the host", async () => {
  const context = { requestId: "r-1", userId: "ada", tenantId: "acme", custom: { a: [1] } };
  expect(await call("query_datasource", { q: "all" }, context)).toEqual({
    q: "all",
    context: {
      plugin_id: "typed",
      version: "1.2.3",
      request_id: "r-1",
      user_id: "ada",
      tenant_id: "acme",
      timeout_ms: 12_345,
      custom: { a: [1] },
    },
  });
});

test("fills the context with what is known of a caller who says nothing", async () => {
  const answer = await call("query_datasource", {});
  expect(answer).toMatchObject({ context: { user_id: null, tenant_id: null, custom: {} } });
  expect(answer).toHaveProperty("context.request_id", expect.stringMatching(/^[0-9a-f-]{36}$/));
});

test("refuses a caller's own context where the host sets it", async () => {
  expect(await call("template_function", { context: { user_id: "root" } })).toMatchObject({
    code: "RUNTIME_INPUT",
  });
});

test("passes bytes and values that are no objects on as they are", async () => {
  expect(await call("template_function", Buffer.from('{"context":1}'))).toEqual({ context: 1 });
  expect(await call("template_function", ["context"])).toEqual(["context"]);
  expect(await call("template_function", "text")).toBe("text");
  expect(await call("template_function", null)).toBe(null);
});

test("refuses an input without a JSON form", async () => {
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  expect(await call("template_function", circle as JsonValue)).toMatchObject({
    code: "RUNTIME_INPUT",
  });
  expect(await call("template_function", (() => 1) as unknown as JsonValue)).toMatchObject({
    code: "RUNTIME_INPUT",
  });
});

test.each([
  ["an unknown member", { role: "admin" }],
  ["a request id with spaces", { requestId: "a b" }],
  ["a request id that is no text", { requestId: 7 }],
  ["an endless user id", { userId: "x".repeat(200) }],
  ["a user id that would break a line", { userId: "ada\nroot" }],
  ["a tenant that is none", { tenantId: "" }],
  ["custom that is no object", { custom: [1] }],
  ["custom that is too large", { custom: { a: "x".repeat(20_000) } }],
])("refuses a context with %s", async (_name, context) => {
  expect(await call("template_function", "x", context as unknown as CallContext)).toMatchObject({
    code: "RUNTIME_CONTEXT",
  });
});

test("refuses a plugin whose schema does not compile", async () => {
  await using plugin = await buildPluginPackage({
    id: "odd",
    wasm: flatPlugin({ run: ECHO }),
    functions: { run: { input: { type: "nonsense" } } },
  });
  const result = await host.runtime.load(plugin.path);
  expect(result.ok ? "ok" : result.error.code).toMatch(/^(MANIFEST_SCHEMA|RUNTIME_SCHEMA)$/);
});
