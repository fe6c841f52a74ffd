/** @module Options that are refused, before anything is opened. */
import { PluginRuntime, type RuntimeConfig } from "@glovebox/runtime";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { openRuntime } from "./open-runtime.ts";

describe("options that are refused", () => {
  const directory = "/tmp/never-opened";
  test.each<[string, unknown]>([
    ["an unknown group", { audit: { directory }, secrity: {} }],
    ["an unknown option", { audit: { directory }, security: { enableWasmValidaton: false } }],
    ["an option named like a built-in", { audit: { directory }, security: { constructor: 1 } }],
    [
      "a switch that is no boolean",
      { audit: { directory }, security: { enableAuditLogging: "no" } },
    ],
    ["a size of 0", { audit: { directory }, security: { maxPluginSizeBytes: 0 } }],
    ["a size beyond the bound", { audit: { directory }, security: { maxPluginSizeBytes: 1e12 } }],
    [
      "an isolation that is none of the levels",
      { audit: { directory }, security: { minimumIsolation: "weak" } },
    ],
    [
      "a runner user that is root",
      { audit: { directory }, security: { runnerUser: { uid: 0, gid: 1 } } },
    ],
    [
      "a runner user without a group",
      { audit: { directory }, security: { runnerUser: { uid: 1 } } },
    ],
    ["no runner at all", { audit: { directory }, resources: { maxRunners: 0 } }],
    ["a sleep before now", { audit: { directory }, resources: { sleepAfterMs: -1 } }],
    [
      "more CPU time than a process has",
      { audit: { directory }, resources: { defaultCpuLimitMs: 60_001 } },
    ],
    ["half a plugin", { audit: { directory }, resources: { maxConcurrentPlugins: 0.5 } }],
    ["a durability that is none", { audit: { directory, auditDurability: "maybe" } }],
    [
      "patterns that are no list",
      { audit: { directory }, validation: { allowedImportPatterns: "env.*" } },
    ],
    ["a group that is no object", { audit: { directory }, security: [] }],
    ["options that are none", null],
    ["no audit directory", {}],
    ["no audit log while signatures are required", { security: { enableAuditLogging: false } }],
  ])("%s", async (_name, config) => {
    await expect(PluginRuntime.open(config as RuntimeConfig)).toThrowCode("RUNTIME_OPTIONS");
  });

  test("what a module refuses of its options, under the module's code", async () => {
    const policy = { network: { allowHttpOutbound: true, allowedHosts: ["*"] } };
    await expect(openRuntime({ policy })).toThrowCode("BROKER_POLICY");
    await expect(openRuntime({ resources: { callBurst: 2 } })).toThrowCode("LIMITER_OPTION");
    const validation = { allowedImportPatterns: ["everything"] };
    await expect(openRuntime({ validation })).toThrowCode("WASM_POLICY");
    const trustedKeys = [{ publicKey: "no key", identity: "x" }];
    await expect(openRuntime({ trust: { trustedKeys } })).toThrowCode("SIGNER_KEY");
  });
});
