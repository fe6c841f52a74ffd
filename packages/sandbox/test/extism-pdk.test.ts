/** A plugin built with the official AssemblyScript PDK, unchanged, runs in the sandbox. */
import { allow, refuse } from "@glovebox/core/decision";
import type { HostServices } from "@glovebox/core/ports";
import { memoryHostServices } from "@glovebox/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { compileAsPdkPlugin } from "./fixtures/as-pdk/compile-plugin.ts";
import { codeOf, type OpenPlugin, openPlugin, textOf } from "./support/open-plugin.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Host services that remember variables and answer one host function. */
function services(): { services: HostServices; logged: string[] } {
  const variables = new Map<string, Uint8Array>();
  const logged: string[] = [];
  return {
    logged,
    services: memoryHostServices({
      variables: {
        get: async (_scope, key) => allow("test", variables.get(key)),
        set: async (_scope, key, value) => {
          if (value === undefined) variables.delete(key);
          else variables.set(key, value);
          return allow("test", undefined);
        },
      },
      functions: new Map([
        [
          "lookup",
          {
            parameters: ["bytes"],
            result: "bytes",
            call: async (_scope, [key]) => {
              const name = decoder.decode(key as Uint8Array<ArrayBuffer>);
              if (name === "refused")
                return refuse("TEST_REFUSED", "test", "dsn=postgres://user:hunter2@db");
              if (name === "broken") throw new Error("connect failed: postgres://user:hunter2@db");
              return allow("test", encoder.encode(`value of ${name}`));
            },
          },
        ],
      ]),
      config: new Map([["greeting", "hello"]]),
      log: (_scope, level, message) => void logged.push(`${level}: ${message}`),
    }),
  };
}

describe("a plugin of the official AssemblyScript PDK", () => {
  let open: OpenPlugin;
  const host = services();
  beforeAll(async () => {
    open = await openPlugin(await compileAsPdkPlugin(), { abi: "extism", services: host.services });
  }, 60_000);
  afterAll(() => open[Symbol.asyncDispose]());

  it.each(["", "a", "eight by", "hello world", "ü€😀", "x".repeat(100_000)])(
    "echoes %o",
    async (text) => {
      expect(textOf(await open.call("echo", text))).toBe(text);
    },
  );

  it("counts vowels, many times over", async () => {
    for (let at = 0; at < 50; at++) {
      expect(textOf(await open.call("count_vowels", "Hello, World!"))).toBe('{"count":3}');
    }
  });

  it.each([
    ["greeting", "hello"],
    ["absent", "(none)"],
    ["constructor", "(none)"],
    ["__proto__", "(none)"],
  ])("reads the configuration value %s", async (key, value) => {
    expect(textOf(await open.call("config", key))).toBe(value);
  });

  it("keeps variables in the host, also across a new process", async () => {
    expect(textOf(await open.call("vars"))).toBe("1");
    expect(textOf(await open.call("vars"))).toBe("2");
    await using second = await openPlugin(await compileAsPdkPlugin(), {
      abi: "extism",
      services: host.services,
    });
    expect(textOf(await second.call("vars"))).toBe("3");
    expect(textOf(await open.call("vars", "reset"))).toBe("1");
  });

  it("logs from the level info on", async () => {
    host.logged.length = 0;
    await open.call("log", "text");
    expect(host.logged).toEqual(["info: text", "warn: text", "error: text"]);
  });

  it("reports the plugin's own error, and goes on", async () => {
    const outcome = await open.call("fail", "no such thing");
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: "SANDBOX_PLUGIN_ERROR", publicMessage: "no such thing" },
    });
    expect(textOf(await open.call("echo", "goes on"))).toBe("goes on");
  });

  it("calls a function of the host application", async () => {
    expect(textOf(await open.call("user_function", "key"))).toBe("value of key");
  });

  it.each([
    ["refused", "TEST_REFUSED"],
    ["broken", "CORE_CHECK_FAILED"],
  ])(
    "tells plugin and caller no more of a host function that is %s than a code",
    async (key, code) => {
      const outcome = await open.call("user_function", key);
      if (outcome.ok) throw new Error("the call succeeded");
      expect(outcome.error).toMatchObject({ code: "SANDBOX_HOST_CALL_REFUSED", details: { code } });
      expect(outcome.error.publicMessage).toBe(`a host call was refused: ${code}`);
      expect(textOf(await open.call("echo", "goes on"))).toBe("goes on");
    },
  );

  it("refuses an HTTP request that no grant covers", async () => {
    const outcome = await open.call("http", '{"url":"https://example.com/"}');
    expect(codeOf(outcome)).toBe("SANDBOX_HOST_CALL_REFUSED");
  });
});

it.each([
  ["input_offset", "(result i64)"],
  ["input_set", "(param i64 i64)"],
  ["output_offset", "(result i64)"],
  ["output_length", "(result i64)"],
  ["reset", ""],
  ["memory_bytes", "(result i64)"],
  ["error_get", "(result i64)"],
])("refuses to load a plugin that imports %s, which is the host's", async (name, type) => {
  const source = `(module (import "extism:host/env" "${name}" (func ${type})))`;
  await expect(openPlugin(source, { abi: "extism" })).rejects.toMatchObject({
    code: "SANDBOX_ABI",
  });
});
