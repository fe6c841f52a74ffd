import type { Alert } from "@glovebox/monitor";
import { buildPluginPackage, fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { ECHO, flatPlugin, openRuntime, SPIN, TRAP } from "../open-runtime.ts";

/** A process needs a moment, and on a busy machine seconds. */
const LONG = { timeout: 10_000 };

const MIXED = flatPlugin({ run: ECHO, trap: TRAP });

test("quarantines a plugin after failures in a row, alerts, and leaves the others alone", async () => {
  await using host = await openRuntime();
  const alerts: Alert[] = [];
  using _sink = host.runtime.onAlert({ send: async (alert) => void alerts.push(alert) });
  await host.load({ id: "bad", wasm: MIXED });
  await host.load({ id: "good", wasm: MIXED });
  const answers: string[] = [];
  for (let calls = 0; calls < 6; calls += 1) answers.push(await host.call("bad", "trap"));
  expect(answers).toEqual([...Array<string>(5).fill("SANDBOX_TRAP"), "RUNTIME_QUARANTINED"]);
  expect(await host.call("good", "run", "fine")).toBe("fine");
  // A killed process takes a moment to be gone.
  await expect
    .poll(() => host.runtime.list(), LONG)
    .toMatchObject([
      { id: "bad", state: "quarantined", health: "unhealthy", processes: 0 },
      { id: "good", state: "ready" },
    ]);
  expect(alerts.map(({ anomalyType, pluginId }) => `${anomalyType} ${pluginId}`)).toEqual([
    "failure-warning bad",
    "consecutive-failures bad",
  ]);
  const kinds = (await host.events()).filter(({ pluginId }) => pluginId === "bad");
  expect(kinds.map(({ kind }) => kind)).toContain("quarantine");
  expect(kinds.map(({ kind }) => kind)).toContain("revoke");
});

test("ends a quarantine for failures when its time is over, through every check", async () => {
  const clock = fakeClock();
  await using host = await openRuntime({ deps: { clock } });
  await host.load({ id: "bad", wasm: MIXED });
  for (let calls = 0; calls < 5; calls += 1) await host.call("bad", "trap");
  expect(await host.call("bad", "run")).toBe("RUNTIME_QUARANTINED");
  clock.advance(30_000);
  await expect.poll(() => host.runtime.list()[0]?.state, LONG).toBe("ready");
  expect(await host.call("bad", "run", "again")).toBe("again");
});

test("stops a plugin on an operator's word until it is released", async () => {
  await using host = await openRuntime();
  await host.load({ id: "spin", wasm: flatPlugin({ run: SPIN, echo: ECHO }) });
  const running = host.call("spin", "run");
  expect(await host.runtime.quarantine("spin", "looks\nodd")).toBe(true);
  expect(await running).toBe("SANDBOX_ABORTED");
  expect(await host.runtime.quarantine("spin", "twice")).toBe(false);
  expect(await host.runtime.quarantine("nobody", "unknown")).toBe(false);
  expect(host.runtime.list()).toMatchObject([{ state: "quarantined", reason: "looks\\u{a}odd" }]);
  expect(await host.call("spin", "echo")).toBe("RUNTIME_QUARANTINED");

  await using next = await buildPluginPackage({ id: "spin", version: "2.0.0", wasm: MIXED });
  expect(await host.runtime.load(next.path)).toMatchObject({
    error: { code: "RUNTIME_QUARANTINED" },
  });
  expect(await host.runtime.release("spin")).toMatchObject({
    ok: true,
    plugin: { state: "ready" },
  });
  expect(await host.call("spin", "echo", "back")).toBe("back");
  expect(await host.runtime.release("spin")).toMatchObject({ ok: false });
  expect(await host.runtime.release("nobody")).toMatchObject({
    error: { code: "RUNTIME_PLUGIN_UNKNOWN" },
  });
});

test("makes a new grant at a release: the old one stays revoked", async () => {
  await using host = await openRuntime();
  await host.load({ id: "echo", wasm: MIXED });
  const before = host.runtime.list()[0]?.grantId;
  await host.runtime.quarantine("echo", "test");
  expect(await host.runtime.revoke(before ?? "")).toBe(false);
  await host.runtime.release("echo");
  const after = host.runtime.list()[0]?.grantId;
  expect(after).not.toBe(before);
  expect(await host.runtime.revoke(after ?? "")).toBe(true);
});

test("throttles instead when too many plugins are quarantined, and lets go later", async () => {
  const clock = fakeClock();
  await using host = await openRuntime({ deps: { clock } });
  for (const id of ["a", "b"]) {
    await host.load({ id, wasm: MIXED });
    for (let calls = 0; calls < 5; calls += 1) await host.call(id, "trap");
  }
  expect(host.runtime.list().map(({ state }) => state)).toEqual(["quarantined", "throttled"]);
  const metrics = host.runtime.metricsText();
  expect(metrics).toContain('glovebox_monitor_actions_total{plugin="b",kind="throttle"} 1');
  clock.advance(30_000);
  await expect
    .poll(() => host.runtime.list().map(({ state }) => state), LONG)
    .toEqual(["ready", "ready"]);
});

test("shows a plugin whose process is gone as sleeping, and wakes it with the next call", async () => {
  await using host = await openRuntime({ resources: { defaultCpuLimitMs: 50 } });
  await host.load({ id: "spin", wasm: flatPlugin({ run: SPIN, echo: ECHO }) });
  expect(await host.call("spin", "run")).toBe("SANDBOX_CPU_LIMIT");
  await expect.poll(() => host.runtime.list()[0]?.state, LONG).toBe("sleeping");
  expect(await host.call("spin", "echo", "awake")).toBe("awake");
  expect(host.runtime.list()[0]?.state).toBe("ready");
});

test("tells calls that wait for a slot why they cannot run when the plugin is stopped", async () => {
  await using host = await openRuntime({ resources: { maxConcurrentCallsPerPlugin: 1 } });
  await host.load({ id: "spin", wasm: flatPlugin({ run: SPIN }) });
  const running = host.call("spin", "run");
  const waiting = host.call("spin", "run");
  await host.runtime.quarantine("spin", "test");
  expect(await running).toBe("SANDBOX_ABORTED");
  expect(await waiting).toBe("RUNTIME_QUARANTINED");
});
