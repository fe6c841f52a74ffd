/**
 * @module Publisher and host in one file: the package of the example plugin `datasource` is signed,
 * and a runtime that trusts the key runs it with no option loosened.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { RETENTION_CLASSES, verifyAuditLog } from "@glovebox/auditor";
import { PluginRuntime } from "@glovebox/runtime";
import { generateKeyPair, SIGNATURE_FILE, signPackage } from "@glovebox/signer";

const plugin = import.meta.resolve("@glovebox/plugin-datasource/package.json");
const files = new Map<string, Uint8Array>();
for (const path of ["plugin.yaml", "plugin.wasm"]) {
  files.set(path, await readFile(new URL(`dist/${path}`, plugin)));
}

// The publisher signs.
const { publicKey, privateKey } = generateKeyPair();
const signature = signPackage(files, { pluginId: "datasource", version: "1.0.0", privateKey });
files.set(SIGNATURE_FILE, signature);

// The host trusts that key and loads the package.
const directory = await mkdtemp(join(tmpdir(), "glovebox-example-"));
{
  await using runtime = await PluginRuntime.open({
    audit: { directory: join(directory, "audit") },
    trust: { trustedKeys: [{ publicKey, identity: "Example Ltd" }] },
  });
  const loaded = await runtime.load({ files });
  assert.ok(loaded.ok);

  const query = { query_type: "Select", query: "cities", parameters: { country: "Japan" } };
  const context = { tenantId: "acme", userId: "ann" };
  const call = () =>
    runtime.executePluginFunction("datasource", "query_datasource", context, query);
  const outcome = await call();
  assert.ok(outcome.ok);
  const { rows } = JSON.parse(Buffer.from(outcome.output).toString()) as { rows: unknown[] };
  process.stdout.write(`rows: ${rows.length}, loosened: ${runtime.status().loosened.length}\n`);

  await runtime.quarantine("datasource", "the operator says so");
  const refused = await call();
  assert.ok(!refused.ok);
  process.stdout.write(`after quarantine: ${refused.error.code}\n`);
}

// What happened is in the logs, one for each retention class.
const reports = await Promise.all(
  Object.keys(RETENTION_CLASSES).map((name) => verifyAuditLog(join(directory, "audit", name))),
);
process.stdout.write(`audit log: ${reports.every(({ ok }) => ok) ? "whole" : "changed"}\n`);
await rm(directory, { recursive: true });
