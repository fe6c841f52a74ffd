import "@glovebox/testkit/matchers";
import { createMonitor } from "@glovebox/monitor";
import { createRegistry } from "@glovebox/monitor/metrics";
import { fakeClock } from "@glovebox/testkit";
import { describe, expect, test } from "vitest";

import { finished, observe, plugin } from "./observation.ts";

const a = plugin("a");
const b = plugin("b");

describe("metrics of calls", () => {
  test("a call is counted by plugin and code, with what it used", () => {
    const monitor = createMonitor({}, { clock: fakeClock() });
    observe(monitor, a, 2);
    observe(monitor, a, 1, "SANDBOX_TRAP");
    const text = monitor.registry.text();
    expect(text).toContain('glovebox_plugin_calls_total{plugin="a",code="OK"} 2\n');
    expect(text).toContain('glovebox_plugin_calls_total{plugin="a",code="SANDBOX_TRAP"} 1\n');
    expect(text).toContain('glovebox_plugin_call_duration_seconds_count{plugin="a"} 3\n');
    expect(text).toContain('glovebox_plugin_cpu_seconds_total{plugin="a"} 0.015\n');
    expect(text).toContain('glovebox_plugin_memory_peak_bytes{plugin="a"} 65536\n');
    expect(text).toContain('glovebox_plugin_network_requests_total{plugin="a"} 3\n');
    expect(text).toContain('glovebox_plugin_file_operations_total{plugin="a"} 6\n');
    expect(text).toContain('glovebox_plugin_last_call_timestamp_seconds{plugin="a"} 1767225600\n');
  });

  test("what was not measured is not reported as 0", () => {
    const monitor = createMonitor({}, { clock: fakeClock() });
    monitor.observe({ ...finished(a), cpuTimeMs: null, memoryUsedBytes: null });
    expect(monitor.registry.text()).not.toContain("glovebox_plugin_cpu_seconds_total{");
    expect(monitor.registry.text()).not.toContain("glovebox_plugin_memory_peak_bytes{");
  });

  test("measurements that make no sense do not stop the observation", () => {
    const monitor = createMonitor({}, { clock: fakeClock() });
    monitor.observe({ ...finished(a), wallTimeMs: Number.NaN, networkRequests: -1 });
    expect(monitor.health(a).recentCalls).toBe(1);
  });

  test("security events are counted by kind, and denials by plugin and code", () => {
    const monitor = createMonitor({}, { clock: fakeClock() });
    const denial = { kind: "network.request", success: false, code: "BROKER_HOST_NOT_GRANTED" };
    monitor.onEvent({ pluginId: a }, denial);
    monitor.onEvent({ pluginId: a }, { kind: "network.request", success: true });
    monitor.onEvent({}, { kind: "host.start", success: false });
    const text = monitor.registry.text();
    expect(text).toContain('glovebox_events_total{kind="network.request",success="false"} 1\n');
    expect(text).toContain(
      'glovebox_plugin_denials_total{plugin="a",code="BROKER_HOST_NOT_GRANTED"} 1\n',
    );
    expect(text.match(/^glovebox_plugin_denials_total\{/gm)).toHaveLength(1);
  });

  test("the metrics of others stand in the same registry", () => {
    const registry = createRegistry();
    registry.gauge({ name: "runners", help: "Runners." }).set([], 4);
    const monitor = createMonitor({ registry });
    expect(monitor.registry.text()).toContain("runners 4\n");
    expect(() => createMonitor({ registry })).toThrowCode("MONITOR_METRIC");
  });
});

describe("health", () => {
  test("a plugin that was never called has no calls to judge by", () => {
    const monitor = createMonitor({}, { clock: fakeClock() });
    expect(monitor.health(a)).toEqual({
      pluginId: "a",
      status: "healthy",
      message: "No recent calls to judge by",
      recentCalls: 0,
      recentFailures: 0,
      quarantined: false,
    });
    expect(monitor.healthAll()).toEqual([]);
  });

  test.each([
    { successes: 20, failures: 0, status: "healthy" },
    { successes: 19, failures: 1, status: "healthy" },
    { successes: 18, failures: 2, status: "degraded" },
    { successes: 3, failures: 1, status: "degraded" },
    { successes: 0, failures: 1, status: "degraded" },
    { successes: 10, failures: 10, status: "unhealthy" },
    { successes: 2, failures: 3, status: "unhealthy" },
  ])(
    "$failures failures beside $successes successes are $status",
    ({ successes, failures, status }) => {
      const monitor = createMonitor({ failureThreshold: 100 }, { clock: fakeClock() });
      observe(monitor, a, failures, "SANDBOX_TRAP");
      observe(monitor, a, successes);
      expect(monitor.health(a)).toMatchObject({ status, recentFailures: failures });
    },
  );

  test("says how many calls failed", () => {
    const monitor = createMonitor({}, { clock: fakeClock() });
    observe(monitor, a, 3);
    observe(monitor, a, 1, "SANDBOX_TRAP");
    expect(monitor.health(a).message).toBe("1 of 4 recent calls failed");
  });

  test("new calls push out old ones, and time does too", () => {
    const clock = fakeClock();
    const monitor = createMonitor({ failureThreshold: 100 }, { clock });
    observe(monitor, a, 10, "SANDBOX_TRAP");
    observe(monitor, a, 20);
    expect(monitor.health(a)).toMatchObject({ status: "healthy", recentCalls: 20 });
    observe(monitor, a, 20, "SANDBOX_TRAP");
    expect(monitor.health(a).status).toBe("unhealthy");
    clock.advance(300_001);
    expect(monitor.health(a)).toMatchObject({ status: "healthy", recentCalls: 0 });
  });

  test("failures of others leave no mark: neither the caller's nor the host's", () => {
    const monitor = createMonitor({}, { clock: fakeClock() });
    for (const code of ["SANDBOX_INPUT_SIZE", "SANDBOX_NOT_STARTED", "LIMITER_RATE"]) {
      expect(observe(monitor, a, 50, code)).toEqual([]);
    }
    expect(monitor.health(a)).toMatchObject({ status: "healthy", recentCalls: 0 });
  });

  test("a plugin in quarantine is unhealthy, and says for how long", () => {
    const clock = fakeClock();
    const monitor = createMonitor({}, { clock });
    observe(monitor, a, 5, "SANDBOX_TRAP");
    observe(monitor, b, 1, "SANDBOX_PROTOCOL");
    clock.advance(1_000);
    expect(monitor.healthAll()).toMatchObject([
      {
        pluginId: "a",
        status: "unhealthy",
        quarantined: true,
        message: "Plugin is quarantined for 29 s more",
      },
      {
        pluginId: "b",
        status: "unhealthy",
        quarantined: true,
        message: "Plugin is quarantined until it is lifted",
      },
    ]);
    clock.advance(29_000);
    expect(monitor.health(a).quarantined).toBe(false);
  });
});

describe("memory", () => {
  test("a plugin that is forgotten takes its record and its metrics along", () => {
    const monitor = createMonitor({}, { clock: fakeClock() });
    observe(monitor, a, 4, "SANDBOX_TRAP");
    observe(monitor, b, 1);
    monitor.forget(a);
    expect(monitor.healthAll().map(({ pluginId }) => pluginId)).toEqual(["b"]);
    expect(monitor.registry.text()).not.toContain('plugin="a"');
    expect(observe(monitor, a, 1, "SANDBOX_TRAP")).toEqual([]);
  });

  test("past the maximum, the plugin that was not observed for longest is forgotten", () => {
    const monitor = createMonitor({ maxPlugins: 2 }, { clock: fakeClock() });
    for (const id of ["a", "b", "a", "c"]) observe(monitor, plugin(id), 1);
    expect(monitor.healthAll().map(({ pluginId }) => pluginId)).toEqual(["a", "c"]);
    expect(monitor.registry.text()).not.toContain('plugin="b"');
  });
});

test.each([
  { failureThreshold: 0 },
  { failureThreshold: Number.NaN },
  { baseQuarantineMs: 0 },
  { maxQuarantineMs: Infinity },
  { forgiveAfterMs: -1 },
  { maxQuarantinedShare: 1.5 },
  { dedupWindowMs: Number.NaN },
  { alertTimeoutMs: 0 },
  { maxPlugins: 0 },
])("refuses to be made with %j", (options) => {
  expect(() => createMonitor(options)).toThrowCode("MONITOR_OPTION");
});
