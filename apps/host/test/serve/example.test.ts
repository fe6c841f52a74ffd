/** @module What `npm start` shows of both capabilities: the example `rates` over its real source and folder. */
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { JsonValue } from "@glovebox/core/json";
import { PluginRuntime } from "@glovebox/runtime";
import { expect, test, vi } from "vitest";

import { openApprovalFile } from "../../src/serve/approval-file.ts";
import { approveExample, openExample } from "../../src/serve/example.ts";
import { SOURCE_ADDRESS } from "../../src/serve/rate-source.ts";

vi.setConfig({ testTimeout: 120_000 });

const PLUGIN = join(import.meta.dirname, "../../../../plugins/rates");
const ignore = (): void => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

test("the example fetches its table through a grant, and then answers from its file", async () => {
  await using undo = new AsyncDisposableStack();
  const data = await realpath(await mkdtemp(join(tmpdir(), "glovebox-example-")));
  undo.defer(() => rm(data, { recursive: true }));
  const example = undo.use(await openExample(data, logger));
  expect(example.policy.network?.allowedHosts).toEqual([
    expect.stringContaining(`${SOURCE_ADDRESS}:`),
  ]);
  const runtime = await PluginRuntime.open({
    security: { enableAuditLogging: false },
    validation: { requireSignatures: false },
    policy: example.policy,
    approvals: await openApprovalFile(data, "approvals.json"),
    ...example.config,
  });
  undo.use(runtime);
  const refused = await runtime.load(join(PLUGIN, "dist"));
  expect(refused).toMatchObject({ error: { code: "BROKER_APPROVAL" } });
  expect(await approveExample(runtime, refused, logger)).toMatchObject({ ok: true });

  const ask = async (parameters: JsonValue): Promise<unknown> => {
    const input = { query_type: "Select", query: "rates", parameters };
    const context = { custom: { now: 1_800_000_000 } };
    const outcome = await runtime.executePluginFunction(
      "rates",
      "query_datasource",
      context,
      input,
    );
    return outcome.ok ? JSON.parse(Buffer.from(outcome.output).toString()) : outcome.error.code;
  };
  const [, said = ""] =
    /```json\n([^]*?)```/.exec(await readFile(join(PLUGIN, "README.md"), "utf8")) ?? [];
  expect(await ask({ currency: "USD" })).toEqual(JSON.parse(said));
  expect(await ask({ currency: "USD" })).toMatchObject({ metadata: { from: "file" } });
  expect(await ask({ max_age_s: 0 })).toMatchObject({
    total_count: 4,
    metadata: { from: "network" },
  });

  const [listed] = runtime.list();
  expect(listed?.quotas).toEqual([
    { what: "requests", used: 2 },
    { what: "sentBytes", used: expect.any(Number) },
    { what: "receivedBytes", used: expect.any(Number) },
    {
      what: "fileBytes",
      folder: "/rates",
      used: expect.any(Number),
      max: 65_536,
      remaining: expect.any(Number),
    },
    { what: "files", folder: "/rates", used: 1, max: 8, remaining: 7 },
  ]);

  // The file may hold anything: what is no table is fetched anew, and never traps.
  const file = join(data, "example-files", "table.json");
  const table = await readFile(file, "utf8");
  for (const hostile of [
    "",
    "[",
    '{"base":"EUR","rates":{"USD":"1"},"fetched_at":1800000000}',
    '{"base":"EUR","rates":{"usd":1},"fetched_at":1800000000}',
    '{"base":"EUR","rates":{},"fetched_at":1e300}',
    '{"base":"EUR","rates":{},"fetched_at":1800000001}',
    "x".repeat(40_000),
  ]) {
    await writeFile(file, hostile);
    expect(await ask({})).toMatchObject({ total_count: 4, metadata: { from: "network" } });
    expect(await readFile(file, "utf8")).toBe(table);
  }
  expect(await ask({ max_age_s: -1 })).toBe("SANDBOX_PLUGIN_ERROR");
});
