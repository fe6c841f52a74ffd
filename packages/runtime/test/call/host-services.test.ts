import { once } from "node:events";
import { connect } from "node:net";

import type { BrokerDeps } from "@glovebox/capability-broker";
import { allow, refuse } from "@glovebox/core/decision";
import type { HostFunction } from "@glovebox/core/ports";
import type { Logger } from "@glovebox/runtime";
import { startTlsServer } from "@glovebox/testkit/servers";
import { expect, test } from "vitest";

import { flatPlugin, openRuntime, reachingPlugin, SPIN } from "../open-runtime.ts";

const DSN = "postgres://app:hunter2@db.internal.example/main";

function hostFunction(call: HostFunction["call"]): HostFunction {
  return { parameters: ["bytes"], result: "bytes", call };
}

/** Every name is a public address, and every dial ends at a server of this test. */
function lab(port: number): Partial<BrokerDeps> {
  return {
    resolve: async () => ["93.184.215.14"],
    localAddresses: () => [],
    dial: async (address) => {
      const socket = connect({ host: "127.0.0.1", port });
      await once(socket, "connect");
      return { socket, remoteAddress: address };
    },
  };
}

function recordingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const log = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, debug: log, info: log, warn: log, error: log };
}

test("keeps a plugin's variables from call to call, and apart for each tenant", async () => {
  await using host = await openRuntime();
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin() });
  await host.call("reach", "remember", "of acme", { tenantId: "acme" });
  await host.call("reach", "remember", "of nobody");
  expect(await host.call("reach", "recall", "", { tenantId: "acme" })).toBe("of acme");
  expect(await host.call("reach", "recall", "", { tenantId: "globex" })).toBe("");
  expect(await host.call("reach", "recall")).toBe("of nobody");
});

test("keeps variables apart for each tenant also where tenants share processes", async () => {
  await using host = await openRuntime({ tenancy: { shareRunners: true } });
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin() });
  await host.call("reach", "remember", "of acme", { tenantId: "acme" });
  expect(await host.call("reach", "recall", "", { tenantId: "globex" })).toBe("");
});

test("gives a plugin its own configuration and nobody else's", async () => {
  await using host = await openRuntime({
    pluginConfig: { reach: { colour: "green" }, other: { secret: "no" } },
  });
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin() });
  expect(await host.call("reach", "setting", "colour")).toBe("green");
  expect(await host.call("reach", "setting", "secret")).toBe("");
});

test("calls a host function with the plugin's bytes, and records it before", async () => {
  await using host = await openRuntime({
    hostFunctions: {
      shout: hostFunction(async (scope, [bytes]) => {
        expect(scope).toMatchObject({ pluginId: "reach", tenantId: "acme" });
        return allow("test", Buffer.from(String(bytes && Buffer.from(bytes as Uint8Array)) + "!"));
      }),
    },
  });
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin(["shout"]) });
  expect(await host.call("reach", "shout", "hello", { tenantId: "acme" })).toBe("hello!");
  const recorded = (await host.events()).filter(({ kind }) => kind === "function");
  expect(recorded).toMatchObject([{ success: true, details: { hostFunction: "shout" } }]);
});

test("tells a caller only a code when a host function throws a secret", async () => {
  const logger = recordingLogger();
  await using host = await openRuntime({
    deps: { logger },
    hostFunctions: {
      query: hostFunction(() => Promise.reject(new Error(`cannot connect to ${DSN}`))),
    },
  });
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin(["query"]) });
  const outcome = await host.runtime.executePluginFunction("reach", "query", {}, "x");
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: "SANDBOX_HOST_CALL_REFUSED", details: { code: "RUNTIME_HOST_FUNCTION" } },
  });
  const everything = [
    JSON.stringify(outcome),
    JSON.stringify(await host.events()),
    JSON.stringify(host.runtime.list()),
    host.runtime.metricsText(),
    ...logger.lines,
  ].join("\n");
  expect(everything).not.toContain("hunter2");
  expect(everything).not.toContain("db.internal");
  expect(logger.lines.join("\n")).toContain("a host function failed");
});

test("passes on the code of a host function that refuses", async () => {
  await using host = await openRuntime({
    hostFunctions: { no: hostFunction(async () => refuse("APP_NO", "app", "because of reasons")) },
  });
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin(["no"]) });
  expect(await host.runtime.executePluginFunction("reach", "no", {}, "x")).toMatchObject({
    error: { code: "SANDBOX_HOST_CALL_REFUSED", details: { code: "APP_NO" } },
  });
});

test("refuses the network to a plugin without a grant, and records the denial", async () => {
  await using host = await openRuntime();
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin() });
  const request = JSON.stringify({ url: "https://api.example.com/" });
  const outcome = await host.runtime.executePluginFunction(
    "reach",
    "fetch",
    {},
    Buffer.from(request),
  );
  expect(outcome).toMatchObject({
    error: { details: { code: "BROKER_NETWORK_NOT_GRANTED" } },
  });
  expect((await host.events()).filter(({ kind }) => kind === "http")).toMatchObject([
    { success: false, code: "BROKER_NETWORK_NOT_GRANTED" },
  ]);
});

test("lets a plugin fetch what manifest and policy allow, counts it, and stops once revoked", async () => {
  await using server = await startTlsServer((_request, response) => void response.end("weather"), {
    names: ["api.example.com"],
  });
  await using host = await openRuntime({
    policy: {
      network: {
        allowHttpOutbound: true,
        allowedHosts: ["*.example.com"],
        certificateAuthorities: [server.ca],
      },
    },
    deps: { broker: lab(server.port) },
  });
  await host.load({
    id: "reach",
    abi: "extism",
    wasm: reachingPlugin(),
    capabilities: {
      network: { allow_http_outbound: true, allowed_hosts: ["api.example.com"] },
    },
  });
  const request = Buffer.from(JSON.stringify({ url: "https://api.example.com/" }));
  const fetched = await host.runtime.executePluginFunction("reach", "fetch", {}, request);
  expect(fetched.ok && Buffer.from(fetched.output).toString()).toBe("weather");
  expect(fetched.usage.networkRequests).toBe(1);

  const [info] = host.runtime.list();
  expect(await host.runtime.revoke(info?.grantId ?? "")).toBe(true);
  expect(await host.runtime.revoke(info?.grantId ?? "")).toBe(false);
  const refused = await host.runtime.executePluginFunction("reach", "fetch", {}, request);
  expect(refused).toMatchObject({ error: { details: { code: "BROKER_REVOKED" } } });
  expect(server.requests).toBe(1);
  const kinds = (await host.events()).map(({ kind, details }) => details?.["step"] ?? kind);
  expect(kinds).toContain("network.request");
  expect(kinds).toContain("capability.revoke");
});

test("writes a plugin's log lines escaped", async () => {
  const logger = recordingLogger();
  await using host = await openRuntime({ deps: { logger } });
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin() });
  await host.call("reach", "say", "one\ntwo\u001b[31m");
  const line = logger.lines.find((text) => text.startsWith("one"));
  expect(line).toContain("one\\u{a}two\\u{1b}[31m");
});

test("ends host calls with their call when the plugin is stopped", async () => {
  const begun = Promise.withResolvers<AbortSignal>();
  await using host = await openRuntime({
    hostFunctions: {
      wait: hostFunction(({ signal }) => {
        begun.resolve(signal);
        return new Promise(() => undefined);
      }),
    },
  });
  await host.load({ id: "reach", abi: "extism", wasm: reachingPlugin(["wait"]) });
  await host.load({ id: "spin", wasm: flatPlugin({ run: SPIN }) });
  const running = host.call("reach", "wait", "x");
  const signal = await begun.promise;
  await host.runtime.quarantine("reach", "test");
  expect(await running).toBe("SANDBOX_ABORTED");
  expect(signal.aborted).toBe(true);
});
