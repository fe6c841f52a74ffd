/** @module Every option is enforced: one test for each. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PluginRuntime, type RuntimeConfig } from "@glovebox/runtime";
import { DEFAULT_MINIMUM_ISOLATION } from "@glovebox/sandbox";
import { generateKeyPair, signPackage } from "@glovebox/signer";
import { buildPluginPackage, recordingDecisionLog } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";
import "@glovebox/testkit/matchers";

import { ECHO, flatPlugin, openRuntime, reachingPlugin, SPIN } from "./open-runtime.ts";

const ECHO_PLUGIN = flatPlugin({ run: ECHO });

async function codeOfLoad(
  config: RuntimeConfig,
  options: Parameters<typeof buildPluginPackage>[0],
): Promise<string> {
  await using host = await openRuntime(config);
  await using plugin = await buildPluginPackage(options);
  const result = await host.runtime.load(plugin.path);
  return result.ok ? "ok" : result.error.code;
}

describe("loosenings", () => {
  test("there are none by default", async () => {
    const log = recordingDecisionLog();
    await using runtime = await PluginRuntime.open({ deps: { decisionLog: log } });
    expect(runtime.status()).toEqual({
      ready: true,
      isolation: DEFAULT_MINIMUM_ISOLATION,
      minimumIsolation: DEFAULT_MINIMUM_ISOLATION,
      layers: expect.arrayContaining(["permission"]),
      absentLayers: expect.any(Object),
      loosened: [],
    });
    expect(log.kinds).toEqual(["started"]);
    const { layers, absentLayers } = runtime.status();
    expect(log.events[0]?.event.details).toMatchObject({ layers, absentLayers });
  });

  test("each is listed, warned of and recorded under its name", async () => {
    const warnings: unknown[] = [];
    const ignore = (): void => undefined;
    const log = recordingDecisionLog();
    const config: RuntimeConfig = {
      security: {
        enableWasmValidation: false,
        enableCapabilityChecks: false,
        minimumIsolation: "none",
        runnerUser: "host",
        outerLayer: "none",
      },
      validation: {
        strictManifestValidation: false,
        requireSignatures: false,
        allowedImportPatterns: ["env.*"],
      },
      audit: { auditDurability: "async" },
      tenancy: { shareRunners: true },
      policy: {
        network: {
          allowHttpOutbound: true,
          allowedHosts: [],
          allowInsecureHttp: true,
          anyPublicHost: true,
          privateCidrs: ["10.0.0.0/8"],
        },
      },
      deps: {
        decisionLog: log,
        logger: {
          debug: ignore,
          info: ignore,
          error: ignore,
          warn: (fields) => void warnings.push(fields),
        },
      },
    };
    await using runtime = await PluginRuntime.open(config);
    const expected = [
      "security.enableWasmValidation",
      "security.enableCapabilityChecks",
      "security.minimumIsolation",
      "security.runnerUser",
      "security.outerLayer",
      "validation.strictManifestValidation",
      "validation.requireSignatures",
      "validation.allowedImportPatterns",
      "audit.auditDurability",
      "tenancy.shareRunners",
      "policy.network.allowInsecureHttp",
      "policy.network.anyPublicHost",
      "policy.network.privateCidrs",
    ];
    expect(runtime.status().loosened).toEqual(expected);
    expect(warnings).toEqual(expected.map((option) => ({ option })));
    const recorded = log.events.filter(({ event }) => event.kind === "loosening");
    expect(recorded.map(({ event }) => event.details?.["option"])).toEqual(expected);
    expect(log.events.at(-1)?.event).toMatchObject({
      kind: "started",
      details: { loosened: expected },
    });
  });
});

describe("security", () => {
  test("enableWasmValidation: false leaves modules to the engine alone", async () => {
    const odd = flatPlugin({ run: ECHO }).replace(
      "(module",
      `(module (import "env" "unknown" (func))`,
    );
    expect(await codeOfLoad({}, { wasm: odd })).toBe("WASM_IMPORT_NOT_ALLOWED");
    const security = { enableWasmValidation: false };
    // Linking is the sandbox's: nobody offers this import.
    expect(await codeOfLoad({ security }, { wasm: odd })).toMatch(/^SANDBOX_/);
    expect(await codeOfLoad({ security }, { wasm: ECHO_PLUGIN })).toBe("ok");
    expect(await codeOfLoad({ security }, { wasm: Buffer.from("junk") })).toMatch(/^SANDBOX_/);
  });

  test("enableCapabilityChecks: false grants what is asked, and nothing else", async () => {
    await using host = await openRuntime({
      security: { enableCapabilityChecks: false },
      deps: {
        broker: {
          resolve: () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" })),
        },
      },
    });
    const capabilities = {
      network: { allow_http_outbound: true, allowed_hosts: ["api.example.com"] },
    };
    await host.load({ id: "asks", abi: "extism", wasm: reachingPlugin(), capabilities });
    await host.load({ id: "silent", abi: "extism", wasm: reachingPlugin() });
    const fetch = async (id: string, name: string) => {
      const request = Buffer.from(JSON.stringify({ url: `https://${name}/` }));
      const outcome = await host.runtime.executePluginFunction(id, "fetch", {}, request);
      return outcome.ok ? "ok" : outcome.error.details["code"];
    };
    // Allowed, and then stopped only by the name that does not exist.
    expect(await fetch("asks", "api.example.com")).toBe("BROKER_RESOLVE");
    expect(await fetch("asks", "other.example.com")).toBe("BROKER_HOST_NOT_GRANTED");
    expect(await fetch("silent", "api.example.com")).toBe("BROKER_NETWORK_NOT_GRANTED");
  });

  test("enableAuditLogging: false writes nothing, where signatures are off too", async () => {
    const directory = await mkdtemp(join(tmpdir(), "glovebox-unused-"));
    try {
      await using runtime = await PluginRuntime.open({
        security: { enableAuditLogging: false },
        validation: { requireSignatures: false },
        audit: { directory: join(directory, "audit") },
      });
      await using plugin = await buildPluginPackage({ wasm: ECHO_PLUGIN });
      expect(await runtime.load(plugin.path)).toMatchObject({ ok: true });
      expect(runtime.status().loosened).toContain("security.enableAuditLogging");
      await expect(rm(join(directory, "audit"))).rejects.toMatchObject({ code: "ENOENT" });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test("runnerUser: host leaves runners what the host is, and root proves nothing", async (context) => {
    if (process.getuid?.() !== 0) {
      context.skip("this host is not root");
      return;
    }
    await expect(openRuntime({ security: { runnerUser: "host" } })).toThrowCode(
      "SANDBOX_ISOLATION",
    );
    await using host = await openRuntime({
      security: { runnerUser: { uid: 12_345, gid: 12_345 } },
    });
    expect(host.runtime.status().isolation).toBe(DEFAULT_MINIMUM_ISOLATION);
  });

  test("maxPluginSizeBytes bounds a package's files together", async () => {
    const files = { "one.txt": "x".repeat(1_000), "two.txt": "x".repeat(1_000) };
    const config = { security: { maxPluginSizeBytes: 1_500 } };
    const options = { wasm: ECHO_PLUGIN };
    expect(await codeOfLoad(config, options)).toBe("ok");
    expect(await codeOfLoad(config, { ...options, files })).toBe("RUNTIME_PACKAGE_SIZE");
  });
});

describe("resources", () => {
  test("defaultMemoryLimitBytes is what a plugin gets that asks for none, or for more", async () => {
    const wasm = flatPlugin({
      run: `(if (i32.lt_s (memory.grow (i32.const 100)) (i32.const 0)) (then unreachable)) ${ECHO}`,
    });
    const maxMemory = { resources: { max_memory_bytes: 1_000_000_000 } };
    await using host = await openRuntime({ resources: { defaultMemoryLimitBytes: 1_048_576 } });
    await host.load({ id: "none", wasm });
    await host.load({ id: "more", wasm, capabilities: maxMemory });
    expect(await host.call("none", "run")).toBe("SANDBOX_TRAP");
    expect(await host.call("more", "run")).toBe("SANDBOX_TRAP");
    await using wide = await openRuntime({ policy: { resources: { maxMemoryBytes: 20_000_000 } } });
    await wide.load({ id: "more", wasm, capabilities: maxMemory });
    expect(await wide.call("more", "run", "room")).toBe("room");
  });

  test("defaultCpuLimitMs and a manifest's smaller wish end an endless loop", async () => {
    const wasm = flatPlugin({ run: SPIN });
    await using host = await openRuntime({ resources: { defaultCpuLimitMs: 60 } });
    await host.load({ id: "default", wasm });
    expect(await host.call("default", "run")).toBe("SANDBOX_CPU_LIMIT");
    await using patient = await openRuntime({ resources: { defaultCpuLimitMs: 60_000 } });
    await patient.load({ id: "own", wasm, capabilities: { resources: { max_cpu_time_ms: 60 } } });
    expect(await patient.call("own", "run")).toBe("SANDBOX_CPU_LIMIT");
  });

  test("defaultWallLimitMs ends a call that waits", async () => {
    await using host = await openRuntime({
      resources: { defaultWallLimitMs: 50 },
      hostFunctions: {
        wait: { parameters: ["bytes"], result: "bytes", call: () => new Promise(() => undefined) },
      },
    });
    await host.load({ id: "waits", abi: "extism", wasm: reachingPlugin(["wait"]) });
    expect(await host.call("waits", "wait", "x")).toBe("SANDBOX_WALL_LIMIT");
  });

  test("maxConcurrentPlugins bounds what is loaded; a new version needs no place", async () => {
    await using host = await openRuntime({ resources: { maxConcurrentPlugins: 1 } });
    await host.load({ id: "one", wasm: ECHO_PLUGIN });
    await expect(host.load({ id: "two", wasm: ECHO_PLUGIN })).rejects.toThrow(
      "RUNTIME_PLUGIN_LIMIT",
    );
    await host.load({ id: "one", version: "1.1.0", wasm: ECHO_PLUGIN });
    await host.runtime.unload("one");
    await host.load({ id: "two", wasm: ECHO_PLUGIN });
  });

  test("maxRunners bounds processes, for which plugins take turns", async () => {
    await using host = await openRuntime({ resources: { maxRunners: 1 } });
    await host.load({ id: "one", wasm: ECHO_PLUGIN });
    await host.load({ id: "two", wasm: ECHO_PLUGIN });
    for (const id of ["one", "two", "one"]) expect(await host.call(id, "run", id)).toBe(id);
    const states = host.runtime.list().map(({ state }) => state);
    expect(states).toEqual(["ready", "sleeping"]);
  });

  test("sleepAfterMs lets a plugin sleep that nobody calls", async () => {
    await using host = await openRuntime({ resources: { sleepAfterMs: 1 } });
    await host.load({ id: "echo", wasm: ECHO_PLUGIN });
    await expect.poll(() => host.runtime.list()[0]?.state).toBe("sleeping");
    expect(await host.call("echo", "run", "awake")).toBe("awake");
  });

  test("callsPerSecond and callBurst refuse calls beyond the rate, with a time to come back", async () => {
    await using host = await openRuntime({ resources: { callsPerSecond: 0.001, callBurst: 2 } });
    await host.load({ id: "echo", wasm: ECHO_PLUGIN });
    expect(await host.call("echo", "run", "1")).toBe("1");
    expect(await host.call("echo", "run", "2")).toBe("2");
    const refused = await host.runtime.executePluginFunction("echo", "run", {}, "3");
    expect(refused).toMatchObject({ error: { code: "LIMITER_RATE" } });
    expect(refused.ok || refused.error.details["retryAfterMs"]).toBeGreaterThan(1_000);
  });

  test("maxInputBytes and maxOutputBytes bound a call's payloads", async () => {
    await using host = await openRuntime({ resources: { maxInputBytes: 10, maxOutputBytes: 5 } });
    await host.load({ id: "echo", wasm: ECHO_PLUGIN });
    expect(await host.call("echo", "run", "12345")).toBe("12345");
    expect(await host.call("echo", "run", "123456")).toBe("SANDBOX_OUTPUT_SIZE");
    expect(await host.call("echo", "run", "12345678901")).toBe("RUNTIME_INPUT_SIZE");
  });
});

describe("validation, trust and approvals", () => {
  test("strictManifestValidation: false makes unknown keys warnings", async () => {
    const manifest =
      "plugin: {id: odd, version: 1.0.0, types: [auth], abi: flat, wasm: plugin.wasm}\nsurprise: 1\n";
    const options = { wasm: ECHO_PLUGIN, manifest };
    expect(await codeOfLoad({}, options)).toBe("MANIFEST_UNKNOWN_KEY");
    await using host = await openRuntime({ validation: { strictManifestValidation: false } });
    await host.load(options);
    expect(host.runtime.list()[0]?.warnings.join()).toContain("surprise");
  });

  test("requireSignatures loads only what a trusted key has signed, unchanged", async () => {
    const { publicKey, privateKey } = generateKeyPair();
    await using plugin = await buildPluginPackage({ id: "echo", wasm: ECHO_PLUGIN });
    const files = new Map(plugin.files);
    const config = {
      validation: { requireSignatures: true },
      trust: { trustedKeys: [{ publicKey, identity: "Example Ltd" }] },
    };
    await using host = await openRuntime(config);
    expect(await host.runtime.load({ files })).toMatchObject({
      error: { code: "SIGNER_SIGNATURE_MISSING" },
    });
    const signature = signPackage(files, { pluginId: "echo", version: "1.0.0", privateKey });
    files.set("plugin.sigstore.json", signature);
    const changed = new Map(files).set("extra.txt", Buffer.from("x"));
    expect(await host.runtime.load({ files: changed })).toMatchObject({
      error: { code: "SIGNER_FILE_EXTRA" },
    });
    expect(await host.runtime.load({ files })).toMatchObject({
      ok: true,
      plugin: { publisher: "Example Ltd" },
    });
    await using stranger = await openRuntime({ validation: { requireSignatures: true } });
    expect(await stranger.runtime.load({ files })).toMatchObject({
      error: { code: "SIGNER_KEY_UNKNOWN" },
    });
  });

  test("allowedImportPatterns lets imports through to the sandbox", async () => {
    const odd = flatPlugin({ run: ECHO }).replace("(module", `(module (import "env" "f" (func))`);
    expect(
      await codeOfLoad({ validation: { allowedImportPatterns: ["env.f"] } }, { wasm: odd }),
    ).toMatch(/^SANDBOX_/);
  });

  test("approvals are a store of sealed ones, and a record of requests is none", async () => {
    const request = { network: { allowHttpOutbound: true, allowedHosts: ["a.example.com"] } };
    for (const approvals of [{ asks: request }, { sealKey: new Uint8Array(32) }, "yes"]) {
      await expect(openRuntime({ approvals: approvals as never })).rejects.toThrowCode(
        "RUNTIME_OPTIONS",
      );
    }
  });
});
