/** @module The example plugin `template` in the sandbox: each function, its bounds, and hostile arguments. */
import { dirname, join } from "node:path";

import type { JsonValue } from "@glovebox/core/json";
import { type OpenPlugin, openPlugin, readmeSamples } from "@glovebox/plugin-sdk/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = dirname(import.meta.dirname);
let plugin: OpenPlugin;

beforeAll(async () => {
  plugin = await openPlugin({ wasm: join(folder, "dist/plugin.wasm"), abi: "extism" });
});

afterAll(() => plugin[Symbol.asyncDispose]());

const about = {
  timestamp: 1_764_038_400,
  request_context: {
    method: "GET",
    path: "/a/b",
    headers: { "X-Name": "Ann" },
    query_params: { q: "1" },
  },
};

test.each<[string, JsonValue[], JsonValue]>([
  ["upper", ["straße é"], "STRASSE É"],
  ["lower", ["ÄB"], "äb"],
  ["trim", ["  a b\n"], "a b"],
  ["default", [null, "x"], "x"],
  ["default", ["", "x"], "x"],
  ["default", [0, "x"], 0],
  ["truncate", ["hello world", 6], "hello…"],
  ["truncate", ["hello", 5], "hello"],
  ["truncate", ["hello", 0], ""],
  ["truncate", ["ab\u{1f600}cd", 4], "ab…"],
  ["mask", ["4111111111111111"], "************1111"],
  ["mask", ["4111111111111111", 0], "****************"],
  ["mask", ["abc"], "***"],
  ["mask", ["ab\u{1f600}", 1], "****"],
  ["json_path", [{ a: [{ b: 1.5e-7 }, { b: 2 }] }, "a[1].b"], 2],
  ["json_path", [{ a: [{ b: 1.5e-7 }] }, "a.0.b"], 1.5e-7],
  ["json_path", [[[7]], "[0][0]"], 7],
  ["json_path", [[1], "[99999999999]"], null],
  ["json_path", [1, "a.b"], null],
  ["json_path", [{ a: 1 }, "constructor"], null],
  ["date", ["YYYY-MM-DDTHH:mm:ssZ"], "2025-11-25T02:40:00Z"],
  ["date", ["YYYY-MM-DD", 951_782_400], "2000-02-29"],
  ["date", ["YYYY-MM-DD HH:mm:ss", -1], "1969-12-31 23:59:59"],
  ["request", ["path"], "/a/b"],
  ["header", ["x-name"], "Ann"],
  ["header", ["absent"], null],
  ["query", ["q"], "1"],
])("%s(%j) is %j", async (function_name, args, answer) => {
  const input = { function_name, args, ...about };
  expect(await plugin.ask("template_function", input)).toEqual({ ok: true, answer });
});

test("date agrees with JavaScript from year 1 to year 9999", async () => {
  const second = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });
  await fc.assert(
    fc.asyncProperty(second, async (timestamp) => {
      const input = { function_name: "date", args: ["YYYY-MM-DDTHH:mm:ss", timestamp] };
      const answer = new Date(timestamp * 1_000).toISOString().slice(0, 19);
      expect(await plugin.ask("template_function", input)).toEqual({ ok: true, answer });
    }),
    { numRuns: 300 },
  );
});

test("reads the request from context.custom where a host puts it", async () => {
  const input = { function_name: "request", args: ["method"], context: { custom: about } };
  expect(await plugin.ask("template_function", input)).toEqual({ ok: true, answer: "GET" });
});

describe("refuses", () => {
  test.each<[string, string, JsonValue]>([
    ["an unknown function", "no template function", "eval"],
    ["a missing argument", "Argument 1 must be text", "upper"],
  ])("%s", async (_what, message, function_name) => {
    expect(await plugin.ask("template_function", { function_name })).toMatchObject({
      ok: false,
      code: "SANDBOX_PLUGIN_ERROR",
      message: expect.stringContaining(message),
    });
  });

  test.each<[string, string, JsonValue[]]>([
    ["an object for a text", "upper", [{}]],
    ["a text that is too long", "upper", ["x".repeat(70_000)]],
    ["a negative length", "truncate", ["a", -1]],
    ["a length that is no whole number", "truncate", ["a", 1.5]],
    ["a length beyond any integer", "truncate", ["a", 1e300]],
    ["a date beyond the year 9999", "date", ["YYYY", 1e300]],
    ["a path that is too long", "json_path", [{}, "a".repeat(300)]],
    ["too many arguments", "upper", Array.from({ length: 17 }, () => "a")],
  ])("%s", async (_what, function_name, args) => {
    expect(await plugin.ask("template_function", { function_name, args })).toMatchObject({
      ok: false,
      code: "SANDBOX_PLUGIN_ERROR",
    });
  });
});

test("the README's samples answer what the README says", async () => {
  const samples = await readmeSamples(folder);
  expect(samples).toHaveLength(2);
  for (const { functionName, input, output } of samples) {
    expect(await plugin.ask(functionName, input)).toEqual({ ok: true, answer: output });
  }
});
