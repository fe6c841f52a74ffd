/** @module The example plugin `response` in the sandbox: what it renders, and what a request must not achieve (CWE-79). */
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

interface Rendered {
  readonly status_code: number;
  readonly headers: Record<string, string>;
  readonly content_type: string;
  readonly text: string;
}

async function render(input: JsonValue): Promise<Rendered> {
  const answer = await plugin.ask("generate_response", input);
  if (!answer.ok) throw new Error(answer.message);
  const response = answer.answer as unknown as Omit<Rendered, "text"> & { body: number[] };
  return { ...response, text: new TextDecoder().decode(Uint8Array.from(response.body)) };
}

describe("a GET request", () => {
  test("is answered with a page that shows it", async () => {
    const page = await render({ method: "GET", path: "/a", query_params: { q: "é\u{1f600}" } });
    expect(page).toMatchObject({ status_code: 200, content_type: "text/html; charset=utf-8" });
    expect(page.text).toContain("<h1>GET /a</h1>");
    expect(page.text).toContain("<tr><th>q</th><td>é\u{1f600}</td></tr>");
  });

  test.each<[string, JsonValue]>([
    ["?format=json", { query_params: { format: "json" } }],
    ["the Accept header", { headers: { ACCEPT: "application/json" } }],
  ])("is answered with JSON for %s", async (_why, more) => {
    const input = { method: "GET", path: '/"\\', ...(more as object) };
    const { content_type, text } = await render(input);
    expect(content_type).toBe("application/json");
    expect(JSON.parse(text)).toMatchObject({ method: "GET", path: '/"\\' });
  });
});

test("a HEAD request is answered without a body", async () => {
  expect(await render({ method: "HEAD", path: "/" })).toMatchObject({ status_code: 200, text: "" });
});

test("any other method is answered with 405 and what is allowed", async () => {
  const { status_code, headers } = await render({ method: "POST", path: "/" });
  expect([status_code, headers["allow"]]).toEqual([405, "GET, HEAD"]);
});

describe("what a request says never becomes markup", () => {
  const hostile = fc.string({
    unit: fc.constantFrom("<", ">", "&", '"', "'", "\0", "\u007f", "a", "é"),
  });

  test("in a page, whose tags are its own", async () => {
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (path, name, value) => {
        fc.pre(name !== "format" && name !== "__proto__");
        const input = { method: "GET", path: `/${path}`, query_params: { [name]: value } };
        const { text } = await render(input);
        const withoutEntities = text.replaceAll(/&(amp|lt|gt|quot|#39);/g, "");
        expect(withoutEntities).not.toMatch(/[&'\0\u007f]/);
        const tags = withoutEntities.match(/<[^>]*>/g)?.join("");
        expect(tags).toBe(
          '<!doctype html><html lang="en"><head><meta charset="utf-8"><title></title></head>' +
            "<body><h1></h1><table><tr><th></th><td></td></tr></table></body></html>",
        );
      }),
      { numRuns: 200 },
    );
  });

  test("and the page may neither run nor load anything", async () => {
    const { headers } = await render({ method: "GET", path: "/" });
    expect(headers).toMatchObject({
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
    });
  });
});

test.each<[string, JsonValue]>([
  ["without a path", { method: "GET" }],
  ["with a path that does not begin with a slash", { method: "GET", path: "a" }],
  ["with a path that is too long", { method: "GET", path: `/${"a".repeat(2_048)}` }],
  ["with a query value that is no text", { method: "GET", path: "/", query_params: { secret: 1 } }],
  [
    "with a query that is too long",
    { method: "GET", path: "/", query_params: { secret: "x".repeat(20_000) } },
  ],
  [
    "with too many query parameters",
    {
      method: "GET",
      path: "/",
      query_params: Object.fromEntries(
        Array.from({ length: 101 }, (_, at) => [`secret${at}`, "x"]),
      ),
    },
  ],
])("a request %s is an error that repeats nothing of it", async (_what, input) => {
  const answer = await plugin.ask("generate_response", input);
  expect(answer).toMatchObject({ ok: false, code: "SANDBOX_PLUGIN_ERROR" });
  expect(JSON.stringify(answer)).not.toContain("secret");
});

test("the README's sample answers what the README says", async () => {
  const samples = await readmeSamples(folder);
  expect(samples).toHaveLength(1);
  for (const { functionName, input, output } of samples) {
    expect(await plugin.ask(functionName, input)).toEqual({ ok: true, answer: output });
  }
});
