/** @module What the host shows of itself. */
import type { PluginInfo } from "@glovebox/runtime";
import { expect, test } from "vitest";

import { fakeHost } from "./fake-runtime.ts";

const plugin = {
  id: "evil" as PluginInfo["id"],
  version: "1.0.0",
  name: '<script>alert("1")</script>',
  types: ["template"],
  state: "failed",
  reason: "<b>broken</b>",
  functions: ['f"><img src=x>'],
  warnings: [],
  quotas: [
    { what: "requests", used: 3 },
    { what: "sentBytes", used: 90, max: 100, remaining: 7 },
    { what: "files", folder: "/<data>", used: 1, max: 8, remaining: 7 },
    { what: "fileBytes", folder: "/<data>", max: 64 },
  ],
  health: "unhealthy",
  processes: 0,
  pendingCalls: 0,
} as const satisfies PluginInfo;
const metricsText = () =>
  [
    'glovebox_plugin_calls_total{plugin="evil",code="OK"} 3',
    'glovebox_plugin_calls_total{plugin="evil",code="SANDBOX_TRAP"} 4',
    'glovebox_plugin_denials_total{plugin="evil",code="BROKER_REVOKED"} 2',
    "",
  ].join("\n");
const requestDigest = "5".repeat(64);
const waiting = {
  pluginId: "reader" as PluginInfo["id"],
  version: "1.0.0",
  publisher: "unsigned",
  reason: "<b>nobody approved it",
  changes: ["+ may now also read from /<data>"],
  requestDigest,
};
const approvals = () => ({ pending: [waiting], approved: [] });
const host = fakeHost(undefined, {
  runtime: { list: () => [plugin], metricsText, approvals },
  loosened: ["host.address"],
});

test("the page shows plugins, states, calls and denials", async () => {
  const text = await (await host.request("/")).text();
  expect(text).toContain("failed: ");
  expect(text).toContain('<td class="number">7</td><td class="number">2</td>');
  expect(text).toContain("host.address");
  for (const used of [
    "3 requests",
    "90 of 100 bytes sent, 7 left",
    "1 of 8 files in /&lt;data&gt;, 7 left",
    "not counted yet of 64 bytes in /&lt;data&gt;",
  ])
    expect(text).toContain(`<li>${used}</li>`);
  expect(text).toContain("Layers around a plugin: permission (not landlock: there is &lt;none");
});

test("the page shows what waits, and the order that approves this and nothing that comes later", async () => {
  const text = await (await host.request("/")).text();
  expect(text).toContain("+ may now also read from /&lt;data");
  expect(text).toContain(`approve reader --operator NAME --digest ${requestDigest}`);
  expect(text).not.toContain("<b>nobody");
  expect(text).not.toContain("--data");
});

test("the order names the data directory where it is not the command's own", async () => {
  const elsewhere = fakeHost(undefined, {
    runtime: { approvals },
    dataDirectory: "/srv/it's <data>",
  });
  const text = await (await elsewhere.request("/")).text();
  expect(text).toContain(`${requestDigest} --data '/srv/it'\\''s &lt;data`);
});

test("the page encodes what plugins say, and its policy lets nothing run", async () => {
  const response = await host.request("/");
  const text = await response.text();
  expect(text).not.toMatch(/<script|<img|<b>broken/);
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /);
  expect(policy).not.toMatch(/unsafe|script-src/);
});

test("GET /plugins lists what the runtime lists", async () => {
  expect(await (await host.request("/plugins")).json()).toEqual([plugin]);
});

test("/readyz tells readiness, isolation and every loosening", async () => {
  const response = await host.request("/readyz");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    ready: true,
    isolation: "permission",
    minimumIsolation: "permission",
    layers: ["permission"],
    absentLayers: { landlock: "there is <none>" },
    loosened: ["host.address"],
  });
});

test("/readyz is 503 when the runtime takes no calls", async () => {
  const status = () => ({ ...host.runtime.status(), ready: false });
  const response = await fakeHost(undefined, { runtime: { status } }).request("/readyz");
  expect([response.status, await response.json()]).toMatchObject([503, { ready: false }]);
});

test("/metrics is in the Prometheus text format", async () => {
  const response = await host.request("/metrics");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await response.text()).toBe(metricsText());
});

test.each(["/", "/plugins", "/readyz", "/metrics", "/nothing"])(
  "%s is for its caller alone, and of the type that it says",
  async (path) => {
    const { headers } = await host.request(path);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
  },
);

test("what is not there is a problem, too", async () => {
  const response = await host.request("/nothing");
  expect([response.status, await response.json()]).toMatchObject([404, { code: "HOST_NOT_FOUND" }]);
});
