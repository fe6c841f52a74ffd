/** @module What a configuration of the audit log means, and that nothing in it is guessed. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { pluginDirectory } from "@glovebox/testkit";
import { expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { readAuditConfig } from "../../../src/commands/audit/audit-config.ts";

const FILES = { "w.policy": "quorum none\n", key: new Uint8Array(32).fill(7) };

async function configOf(raw: unknown) {
  await using files = await pluginDirectory(FILES);
  const file = join(files.path, "audit.json");
  await writeFile(file, typeof raw === "string" ? raw : JSON.stringify(raw));
  return { config: await readAuditConfig(file), at: (name: string) => join(files.path, name) };
}

test("without a file everything is as by default", async () => {
  expect(await readAuditConfig(undefined)).toMatchObject({ auditor: {}, sinks: [], loosened: [] });
});

test("every member reaches the auditor, and paths are relative to the file", async () => {
  const { config, at } = await configOf({
    retentionDays: { security: null, activity: 30 },
    cleanUpHours: 2,
    checkpointDirectory: "checkpoints",
    keyDirectory: "/srv/keys",
    keyCopies: ["copy"],
    wrappingKeyFile: "key",
    witnessPolicyFile: "w.policy",
    sealIntervalMs: 500,
    witness: { name: "w.example", port: 0, logs: [] },
    sinks: [{ type: "json-lines", path: "events" }, { type: "logger" }],
  });
  expect(config).toEqual({
    auditor: {
      retentionDays: { security: Infinity, activity: 30 },
      cleanUpEveryMs: 7_200_000,
      anchorDirectory: at("checkpoints"),
      keyDirectory: "/srv/keys",
      keyCopies: [at("copy")],
      witnessPolicy: "quorum none\n",
      sealIntervalMs: 500,
    },
    wrappingKey: Buffer.alloc(32, 7),
    witness: { name: "w.example", port: 0, logs: [] },
    sinks: [{ type: "json-lines", path: at("events") }, { type: "logger" }],
    loosened: [],
  });
});

test("what goes over a network in the clear is a named loosening", async () => {
  const { config } = await configOf({
    witness: { name: "w", port: 1, logs: [], address: "0.0.0.0" },
    sinks: [
      { type: "syslog", host: "siem.example", clear: true },
      { type: "otlp", name: "second", url: "http://collector.example/v1/logs", clear: true },
    ],
  });
  expect(config.loosened).toEqual([
    "audit.witness.address",
    "audit.sinks.syslog.clear",
    "audit.sinks.second.clear",
  ]);
});

test.each([
  ["no JSON", "{"],
  ["a list", []],
  ["an unknown member", { retention: {} }],
  ["a duplicate key", '{"sealIntervalMs":1,"sealIntervalMs":2}'],
  ["an unknown class", { retentionDays: { all: 1 } }],
  ["days as text", { retentionDays: { security: "1" } }],
  ["negative days", { retentionDays: { security: -1 } }],
  ["a witness without logs", { witness: { name: "w", port: 1 } }],
  ["a port that is none", { witness: { name: "w", port: 65_536, logs: [] } }],
  ["an unknown sink", { sinks: [{ type: "carrier-pigeon" }] }],
  ["a sink that is none", { sinks: [null] }],
  ["a sink without its path", { sinks: [{ type: "ocsf" }] }],
  ["a member of another sink", { sinks: [{ type: "logger", path: "x" }] }],
  [
    "two sinks of one name",
    { sinks: [{ type: "logger" }, { type: "ocsf", name: "logger", path: "x" }] },
  ],
  ["clear text that is denied", { sinks: [{ type: "syslog", host: "h", clear: false }] }],
  ["a collector in the clear", { sinks: [{ type: "otlp", url: "http://c.example/" }] }],
  [
    "a collector that only begins as loopback",
    { sinks: [{ type: "otlp", url: "http://127.0.0.1.x/" }] },
  ],
  ["a wrapping key of another length", { wrappingKeyFile: "w.policy" }],
])("%s is wrong usage", async (_, raw) => {
  await expect(configOf(raw)).rejects.toThrowCode("HOST_USAGE");
});

test.each([
  ["the file itself", undefined],
  ["a policy", { witnessPolicyFile: "gone" }],
  ["a wrapping key", { wrappingKeyFile: "gone" }],
])("%s that is not there is said to be the file", async (_, raw) => {
  const opening = raw === undefined ? readAuditConfig("/nonexistent") : configOf(raw);
  await expect(opening).rejects.toThrowCode("HOST_FILE");
});
