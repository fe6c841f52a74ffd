/**
 * @module The example plugin `datasource` in the sandbox: what it selects, and that its reader of
 * JSON, written by hand in WebAssembly text, accepts nothing that is not JSON and never traps.
 */
import { dirname, join } from "node:path";

import type { JsonValue } from "@glovebox/core/json";
import { type OpenPlugin, openPlugin, readmeSamples } from "@glovebox/plugin-sdk/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = dirname(import.meta.dirname);
let plugin: OpenPlugin;

beforeAll(async () => {
  plugin = await openPlugin({ wasm: join(folder, "dist/plugin.wasm"), abi: "flat" });
});

afterAll(() => plugin[Symbol.asyncDispose]());

interface Result {
  readonly rows?: readonly { readonly values: JsonValue[] }[];
  readonly total_count?: number;
  readonly error?: string;
}

async function query(text: string): Promise<Result> {
  const answer = await plugin.ask("query_datasource", null, text);
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.answer as unknown as Result;
}

async function cities(more: object): Promise<[JsonValue[], number | undefined]> {
  const { rows, total_count } = await query(JSON.stringify({ query_type: "Select", ...more }));
  return [rows?.map(({ values }) => values[1] ?? null) ?? [], total_count];
}

describe("a Select query", () => {
  test.each<[string, object, JsonValue[], number]>([
    ["limit and offset", { limit: 2, offset: 1 }, ["Delhi", "Shanghai"], 10],
    ["a limit of 0", { limit: 0 }, [], 10],
    ["an offset beyond the end", { offset: 1_000_000 }, [], 10],
    ["a text", { parameters: { country: "Japan" } }, ["Tokyo", "Osaka"], 2],
    ["a number", { parameters: { id: 10 } }, ["Osaka"], 1],
    ["two columns", { parameters: { country: "India", id: 9 } }, ["Mumbai"], 1],
    ["letters beyond ASCII", { parameters: { city: "São Paulo" } }, ["São Paulo"], 1],
    ["the text of a number", { parameters: { id: "10" } }, [], 0],
    ["a prefix", { parameters: { city: "Toky" } }, [], 0],
    ["empty text", { parameters: { city: "" } }, [], 0],
    ["a text longer than any cell", { parameters: { city: "x".repeat(100_000) } }, [], 0],
    ["a number longer than any cell", { parameters: { id: 1_234_567_890_123_456 } }, [], 0],
    ["nulls", { query: null, limit: null, offset: null, parameters: null }, expect.any(Array), 10],
  ])("selects by %s", async (_what, more, expected, total) => {
    expect(await cities(more)).toEqual([expected, total]);
  });

  test("skips what it does not know, the host's context included", async () => {
    const context = { custom: { a: [1, { b: [-1.5e3, true, false, null, '\n"\\u'] }] } };
    expect(await cities({ context, limit: 1 })).toEqual([["Tokyo"], 10]);
  });

  test("reads escapes as the characters they stand for", async () => {
    const { total_count } = await query(
      String.raw`{"query_t\u0079pe":"Select","parameters":{"city":"S\u00e3o\u0020Paulo"}}`,
    );
    expect(total_count).toBe(1);
  });
});

const SELECT = '"query_type":"Select"';

test.each([
  ["nothing", "", "The input is not a JSON object."],
  ["half an object", "{", "The input is not a JSON object."],
  ["an array", "[]", "The input is not a JSON object."],
  ["something after the object", `{${SELECT}}x`, "The input is not a JSON object."],
  ["a member twice", `{${SELECT},${SELECT}}`, "The input is not a JSON object."],
  ["a trailing comma", `{${SELECT},}`, "The input is not a JSON object."],
  ["a surrogate alone", `{${SELECT},"a":"\\ud800"}`, "The input is not a JSON object."],
  ["no end to arrays", `{${SELECT},"a":${"[".repeat(100_000)}`, "The input is not a JSON object."],
  ["no type", "{}", "Only queries of the type Select are answered."],
  ["another type", '{"query_type":"Delete"}', "Only queries of the type Select are answered."],
  ["another table", `{${SELECT},"query":"users"}`, "There is no table of this name."],
  ["another column", `{${SELECT},"parameters":{"x":1}}`, "There is no column of this name."],
  [
    "a fraction",
    `{${SELECT},"parameters":{"id":1.5}}`,
    "A parameter must be text or a whole number.",
  ],
  ["a truth value", `{${SELECT},"parameters":{"id":true}}`, "The input is not a JSON object."],
  [
    "a negative limit",
    `{${SELECT},"limit":-1}`,
    "The limit must be a whole number from 0 to 1000.",
  ],
  [
    "a huge limit",
    `{${SELECT},"limit":${"9".repeat(400)}}`,
    "The limit must be a whole number from 0 to 1000.",
  ],
  [
    "a limit in exponents",
    `{${SELECT},"limit":1e1}`,
    "The limit must be a whole number from 0 to 1000.",
  ],
  [
    "a huge offset",
    `{${SELECT},"offset":1000001}`,
    "The offset must be a whole number from 0 to 1000000.",
  ],
])("%s is an answer with an error", async (_what, text, error) => {
  expect(await query(text)).toEqual({ success: false, error });
});

test("accepts a changed query only if JSON.parse does too, and never traps", async () => {
  const text = JSON.stringify({
    query_type: "Select",
    query: "cities",
    parameters: { city: 'Tok"yo\u00e9\u{1f600}', id: -12 },
    limit: 3,
    offset: 0,
    other: [1.5e-3, true, false, null, { a: "\n" }],
  });
  const change = fc.record({
    at: fc.nat(text.length),
    by: fc.constantFrom(...'{}[]",:\\u0e.-+ '.split("")),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (changes, replace) => {
        let changed = text;
        for (const { at, by } of changes) {
          changed = changed.slice(0, at) + by + changed.slice(replace ? at + 1 : at);
        }
        const { rows } = await query(changed);
        expect(rows !== undefined && !parses(changed)).toBe(false);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("answers any bytes at all, without a trap", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect(await plugin.call("query_datasource", bytes)).toMatchObject({ ok: true });
    }),
    { numRuns: 300 },
  );
});

test("the README's sample answers what the README says", async () => {
  const samples = await readmeSamples(folder);
  expect(samples).toHaveLength(1);
  for (const { functionName, input, output } of samples) {
    expect(await plugin.ask(functionName, input)).toEqual({ ok: true, answer: output });
  }
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
