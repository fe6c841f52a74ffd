/**
 * @module The guest library in the sandbox, through a plugin with one function for each practice:
 * validated input, errors that say nothing internal, chunks under a memory budget.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { allow } from "@glovebox/core/decision";
import type { JsonValue } from "@glovebox/core/json";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type OpenPlugin, openPlugin } from "./open-plugin.ts";

const library = dirname(import.meta.dirname);
const variables = new Map<string, Uint8Array>();
let directory: string;
let plugin: OpenPlugin;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "plugin-sdk-"));
  const build = ["build.mjs", "assembly/test/practices.ts", directory];
  await promisify(execFile)(process.execPath, build, { cwd: library });
  plugin = await openPlugin({
    wasm: join(directory, "plugin.wasm"),
    abi: "extism",
    services: {
      config: new Map([["greeting", "hello"]]),
      variables: {
        get: async (_scope, key) => allow("test", variables.get(key)),
        set: async (_scope, key, value) => {
          if (value === undefined) variables.delete(key);
          else variables.set(key, value);
          return allow("test", undefined);
        },
      },
    },
  });
}, 120_000);

afterAll(async () => {
  await plugin[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const NOT_JSON = {
  ok: false,
  code: "SANDBOX_PLUGIN_ERROR",
  message: expect.stringContaining("is not valid JSON"),
};

describe("validated input", () => {
  test("answers every JSON value with the same value", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ noUnicodeString: false }), async (value) => {
        const sent = JSON.parse(JSON.stringify(value)) as JsonValue;
        expect(await plugin.ask("echo_json", sent)).toEqual({ ok: true, answer: sent });
      }),
      { numRuns: 300 },
    );
  });

  test("accepts a changed JSON text only if JSON.parse does too", async () => {
    const text = JSON.stringify({ a: [1.5e-3, -0, true, false, null], "b\n": "é\u{1f600}", c: {} });
    const change = fc.record({
      at: fc.nat(text.length),
      by: fc.constantFrom(...'{}[]",:\\u0e.-+ '.split("")),
    });
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ at, by }, replace) => {
        const changed = text.slice(0, at) + by + text.slice(replace ? at + 1 : at);
        const { ok } = await plugin.ask("echo_json", null, changed);
        expect(ok && !parses(changed)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["nothing", ""],
    ["half an object", '{"a":'],
    ["two values", "1 2"],
    ["a member twice", '{"a":1,"a":2}'],
    ["a number out of range", "1e400"],
    ["a zero in front", "01"],
    ["a surrogate without its pair", '"\\ud800"'],
    ["a control character", '"\u0001"'],
    ["arrays nested too deep", "[".repeat(100_000)],
  ])("refuses %s", async (_name, text) => {
    expect(await plugin.ask("echo_json", null, text)).toEqual(NOT_JSON);
  });

  test("refuses bytes that are not UTF-8", async () => {
    const outcome = await plugin.call("echo_json", Uint8Array.of(0x22, 0xc0, 0x80, 0x22));
    expect(outcome.ok).toBe(false);
  });

  test("reads fields of each kind", async () => {
    const input = { name: "ann", inner: { count: -2 }, items: [1, 2] };
    expect(await plugin.ask("fields", input)).toEqual({
      ok: true,
      answer: { name: "ann", note: "none", count: -2, items: 2 },
    });
  });

  test.each<[string, JsonValue]>([
    ['"name" must be text of at most 5 characters.', {}],
    ['"name" must be text of at most 5 characters.', { name: "secret" }],
    ['"note" must be text of at most 5 characters.', { name: "a", note: 5 }],
    ['"inner" must be an object.', { name: "a", inner: [] }],
    ['"inner.count" must be a whole number from -2 to 9.', { name: "a", inner: { count: 1e300 } }],
    ['"inner.count" must be a whole number from -2 to 9.', { name: "a", inner: { count: 0.5 } }],
    ['"items" must be an array of at most 2 items.', { name: "a", items: [1, 2, 3] }],
    ["The input must be a JSON object.", []],
  ])("says %s and no more", async (message, input) => {
    expect(await plugin.ask("fields", input)).toMatchObject({ ok: false, message });
  });
});

describe("errors that say nothing internal", () => {
  test("tell the caller the public sentence and the operator the other one", async () => {
    const answer = await plugin.ask("remember", { value: "x", fail: true });
    expect(answer).toMatchObject({ ok: false, message: "The value could not be kept." });
    expect(plugin.services.calls.at(-1)).toMatchObject({
      name: "log",
      args: ["error", "the database at db.internal refused"],
    });
  });

  test("leave no variable set by a call that failed, and the next call unharmed", async () => {
    variables.clear();
    await plugin.ask("remember", { value: "x", fail: true });
    expect(variables.size).toBe(0);
    expect(await plugin.ask("remember", { value: "y" })).toEqual({ ok: true, answer: null });
    expect(await plugin.ask("remember", { forget: true })).toEqual({ ok: true, answer: "y" });
    expect(variables.size).toBe(0);
  });

  test("hide where a broken assertion of the plugin stands", async () => {
    const answer = await plugin.ask("broken", null);
    expect(answer).toMatchObject({ ok: false, code: "SANDBOX_TRAP" });
    expect(JSON.stringify(answer)).not.toMatch(/array\.ts|Index/);
  });
});

describe("chunks under a memory budget", () => {
  test("work on an input that is larger than the budget", async () => {
    const outcome = await plugin.call("sum_input", new Uint8Array(3_000_000).fill(2));
    expect(outcome).toMatchObject({ ok: true });
    expect(outcome.ok && JSON.parse(new TextDecoder().decode(outcome.output))).toEqual({
      sum: 6_000_000,
      chunks: 184,
    });
  });

  test("fail when the plugin keeps more than its budget", async () => {
    const outcome = await plugin.call("hoard_input", new Uint8Array(3_000_000));
    expect(outcome).toMatchObject({
      ok: false,
      error: { message: "The memory budget is exhausted." },
    });
  });

  test("fail at once when one chunk is larger than the budget", async () => {
    expect(await plugin.ask("chunk_beyond_budget", null)).toMatchObject({
      ok: false,
      message: "The chunk size must be positive and within the memory budget.",
    });
  });

  test("cover the data exactly once, the last one shorter", async () => {
    expect(await plugin.ask("cut", null, "abcdefgh")).toEqual({
      ok: true,
      answer: ["abc", "def", "gh"],
    });
  });
});

describe("what the host keeps", () => {
  test.each([0, 1, 7, 8, 9, 100_003])("gives back an input of %i bytes unchanged", async (size) => {
    const input = Uint8Array.from({ length: size }, (_, index) => index * 7);
    expect(await plugin.call("echo_bytes", input)).toMatchObject({ ok: true, output: input });
  });

  test("reads the configuration and writes the log at its level", async () => {
    expect(await plugin.ask("tell", null)).toEqual({ ok: true, answer: "hello" });
    expect(plugin.services.calls.slice(-2).map(({ args }) => args)).toEqual([
      ["info", "told"],
      ["warn", "warned"],
    ]);
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
