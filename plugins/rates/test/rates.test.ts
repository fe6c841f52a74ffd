/**
 * @module The example plugin `rates` in the sandbox, through a real broker: a server on another
 * loopback address, and a file in a folder of its own. Server and file may say anything.
 */
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { createBroker } from "@glovebox/capability-broker";
import type { JsonValue } from "@glovebox/core/json";
import {
  type Answer,
  type OpenPlugin,
  openPlugin,
  readmeSamples,
} from "@glovebox/plugin-sdk/testing";
import { callScope, recordingDecisionLog } from "@glovebox/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

const folder = dirname(import.meta.dirname);
/** No address that an interface has: those beat every grant. */
const ADDRESS = "127.0.0.2";
const RATES = { USD: 1.17, JPY: 172.4, GBP: 0.86 };
const TABLE = JSON.stringify({ base: "EUR", rates: RATES });
const NOW = 1_800_000_000;

const stack = new AsyncDisposableStack();
let plugin: OpenPlugin;
let file = "";
let paths: (string | undefined)[] = [];
let answer = { status: 200, body: TABLE };

beforeAll(async () => {
  const host = await realpath(await mkdtemp(join(tmpdir(), "plugin-rates-")));
  stack.defer(() => rm(host, { recursive: true }));
  file = join(host, "table.json");
  const server = createServer(({ url }, response) => {
    paths.push(url);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  });
  const port = await listen(server);
  stack.defer(() => void server.close());
  const filesystem = { allowRead: true, allowWrite: true };
  const network = {
    allowHttpOutbound: true,
    allowedHosts: [`${ADDRESS}:${port}`],
    methods: ["GET"],
    pathPrefixes: ["/rates.json"],
    allowInsecureHttp: true,
  };
  const broker = createBroker({
    log: recordingDecisionLog(),
    policy: {
      network: { ...network, privateCidrs: [`${ADDRESS}/32`] },
      filesystem: { roots: [{ guest: "/rates", host, ...filesystem }] },
    },
  });
  stack.defer(() => broker.close());
  const grant = broker.grant(callScope().pluginId, {
    network,
    filesystem: { allowedPaths: ["/rates"], ...filesystem },
  });
  if (!grant.allowed) throw new Error(grant.reason);
  plugin = await openPlugin({
    wasm: join(folder, "dist/plugin.wasm"),
    abi: "extism",
    services: {
      http: broker.http(grant.value),
      files: broker.files(grant.value),
      config: new Map([["source", `http://${ADDRESS}:${port}/rates.json`]]),
    },
  });
  stack.use(plugin);
});

afterAll(() => stack.disposeAsync());

beforeEach(async () => {
  await rm(file, { force: true });
  paths = [];
  answer = { status: 200, body: TABLE };
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function ask(parameters: JsonValue, now = NOW): Promise<Answer> {
  const context = { custom: { now } };
  return plugin.ask("query_datasource", { query_type: "Select", parameters, context });
}

const from = (where: "network" | "file", total = 3): object => ({
  ok: true,
  answer: { total_count: total, metadata: { base: "EUR", from: where } },
});
const NO_TABLE = {
  ok: false,
  code: "SANDBOX_PLUGIN_ERROR",
  message: "The source of rates gave no table.",
};

describe("a table", () => {
  test("is fetched once, kept in a file, and answered from it for an hour", async () => {
    expect(await ask({})).toMatchObject(from("network"));
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
      base: "EUR",
      rates: RATES,
      fetched_at: NOW,
    });
    expect(await readdir(dirname(file))).toEqual(["table.json"]);
    expect(await ask({}, NOW + 3_599)).toMatchObject(from("file"));
    expect(paths).toEqual(["/rates.json"]);
    expect(await ask({}, NOW + 3_600)).toMatchObject(from("network"));
    expect(await ask({ max_age_s: 0 }, NOW + 3_600)).toMatchObject(from("network"));
    expect(paths).toHaveLength(3);
  });

  test("answers one currency, or none that it does not have", async () => {
    expect(await ask({ currency: "JPY" })).toMatchObject({
      ok: true,
      answer: { rows: [{ values: ["JPY", 172.4] }], total_count: 1 },
    });
    expect(await ask({ currency: "XXX" })).toMatchObject(from("file", 0));
  });

  test("is what the README says", async () => {
    const samples = await readmeSamples(folder);
    expect(samples).toHaveLength(1);
    for (const { functionName, input, output } of samples) {
      const given = { ...(input as object), context: { custom: { now: NOW } } };
      expect(await plugin.ask(functionName, given)).toEqual({ ok: true, answer: output });
    }
  });
});

describe("a hostile source", () => {
  test.each([
    ["an error", 500, TABLE],
    ["a redirect", 302, TABLE],
    ["no JSON", 200, "<html>"],
    ["half a table", 200, TABLE.slice(0, -2)],
    ["a list", 200, "[]"],
    ["a base that is no currency", 200, '{"base":"eur","rates":{}}'],
    ["a base with more behind it", 200, '{"base":"EUR<script>","rates":{}}'],
    ["a rate that is a text", 200, '{"base":"EUR","rates":{"USD":"1"}}'],
    ["a currency of two letters", 200, '{"base":"EUR","rates":{"US":1}}'],
    ["more than 16 KiB", 200, TABLE + " ".repeat(16_384)],
    ["more than 500 currencies", 200, JSON.stringify({ base: "EUR", rates: manyRates(501) })],
  ])("that answers %s gives no table, and leaves no file", async (_what, status, body) => {
    answer = { status, body };
    expect(await ask({})).toEqual(NO_TABLE);
    expect(await readdir(dirname(file))).toEqual([]);
  });

  test("takes nothing from a table that is still good", async () => {
    expect(await ask({})).toMatchObject(from("network"));
    answer = { status: 500, body: "" };
    expect(await ask({ max_age_s: 0 })).toEqual(NO_TABLE);
    expect(await ask({})).toMatchObject(from("file"));
  });

  test("may send as many currencies as there may be", async () => {
    answer = { status: 200, body: JSON.stringify({ base: "EUR", rates: manyRates(500) }) };
    expect(await ask({})).toMatchObject(from("network", 500));
  });
});

describe("a file", () => {
  test.each([
    ["that is empty", ""],
    ["that is no JSON", "["],
    ["from the future", JSON.stringify({ base: "EUR", rates: RATES, fetched_at: NOW + 1 })],
    ["of a time beyond every clock", '{"base":"EUR","rates":{},"fetched_at":1e300}'],
    ["of a time before every clock", '{"base":"EUR","rates":{},"fetched_at":-1}'],
    ["without a time", TABLE],
    ["with a rate that is none", `{"base":"EUR","rates":{"USD":null},"fetched_at":${NOW}}`],
    ["that is too large", "x".repeat(40_000)],
  ])("%s is replaced", async (_what, text) => {
    await writeFile(file, text);
    expect(await ask({})).toMatchObject(from("network"));
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ fetched_at: NOW });
  });
});

test.each([
  ["another kind of query", { query_type: "Delete" }],
  ["a currency of four letters", { query_type: "Select", parameters: { currency: "EURO" } }],
  ["an age below nothing", { query_type: "Select", parameters: { max_age_s: -1 } }],
])("%s is refused, and nothing is asked of anybody", async (_what, input) => {
  expect(await plugin.ask("query_datasource", input)).toMatchObject({
    ok: false,
    code: "SANDBOX_PLUGIN_ERROR",
  });
  expect(paths).toEqual([]);
});

function manyRates(count: number): Record<string, number> {
  const letter = (at: number): string => String.fromCharCode(65 + (at % 26));
  const names = Array.from(
    { length: count },
    (_, at) => letter(at) + letter(Math.floor(at / 26)) + "A",
  );
  return Object.fromEntries(names.map((name) => [name, 1]));
}
