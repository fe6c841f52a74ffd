import { createMonitor } from "@glovebox/monitor";
import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { observe, plugin, recordingSink } from "./observation.ts";

const a = plugin("a");

function alertsTotal(text: string): Record<string, number> {
  const lines = text.matchAll(/^glovebox_monitor_alerts_total\{result="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, result = "", n]) => [result, Number(n)]));
}

/** Five violations of five plugins: alerts that are all different. */
function violations(monitor: ReturnType<typeof createMonitor>, count: number): void {
  for (let i = 0; i < count; i += 1) observe(monitor, plugin(`p-${i}`), 1, "SANDBOX_PROTOCOL");
}

test("an anomaly reaches every sink, frozen, with what a responder needs", async () => {
  const clock = fakeClock();
  const monitor = createMonitor({}, { clock });
  const sinks = [recordingSink(), recordingSink()];
  for (const sink of sinks) monitor.onAlert(sink);
  observe(monitor, a, 1, "SANDBOX_PROTOCOL");
  await monitor.close();
  const [alert] = sinks[1]?.alerts ?? [];
  expect(sinks.map(({ alerts }) => alerts.length)).toEqual([1, 1]);
  expect(Object.isFrozen(alert)).toBe(true);
  expect(alert).toEqual({
    kind: "anomaly-detected",
    fingerprint: "sandbox-violation/a",
    anomalyType: "sandbox-violation",
    severity: "critical",
    pluginId: "a",
    code: "SANDBOX_PROTOCOL",
    summary: "SANDBOX_PROTOCOL is a violation of the sandbox; quarantined until it is lifted",
    atMs: clock.wallMs(),
    suppressed: 0,
  });
});

test("each kind of anomaly has its severity", async () => {
  const monitor = createMonitor({ maxQuarantinedShare: 0 }, { clock: fakeClock() });
  const sink = recordingSink();
  monitor.onAlert(sink);
  observe(monitor, a, 5, "SANDBOX_TRAP");
  observe(monitor, plugin("b"), 5, "SANDBOX_TRAP");
  await monitor.close();
  const seen = sink.alerts.map(({ fingerprint, severity }) => [fingerprint, severity]);
  expect(seen).toEqual([
    ["failure-warning/a", "low"],
    ["consecutive-failures/a", "high"],
    ["failure-warning/b", "low"],
    ["quarantine-cap/b", "critical"],
  ]);
});

test("an equal alert within the window is held back, and the next one says how many were", async () => {
  const clock = fakeClock();
  const monitor = createMonitor({ dedupWindowMs: 1_000 }, { clock });
  const sink = recordingSink();
  monitor.onAlert(sink);
  const violate = (): void => {
    observe(monitor, a, 1, "SANDBOX_PROTOCOL");
    monitor.lift(a);
  };
  for (let i = 0; i < 3; i += 1) violate();
  clock.advance(1_000);
  violate();
  await monitor.close();
  expect(sink.alerts.map(({ suppressed }) => suppressed)).toEqual([0, 2]);
  expect(alertsTotal(monitor.registry.text())).toEqual({ sent: 2, deduplicated: 2 });
});

test("without a window every alert is sent", async () => {
  const monitor = createMonitor({ dedupWindowMs: 0 }, { clock: fakeClock() });
  const sink = recordingSink();
  monitor.onAlert(sink);
  observe(monitor, a, 1, "SANDBOX_PROTOCOL");
  monitor.lift(a);
  observe(monitor, a, 1, "SANDBOX_PROTOCOL");
  await monitor.close();
  expect(sink.alerts).toHaveLength(2);
});

test("a sink that rejects or throws is counted, and neither the call nor other sinks notice", async () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  const good = recordingSink();
  monitor.onAlert({ send: () => Promise.reject(new Error("the chat is down")) });
  monitor.onAlert({
    send: () => {
      throw new Error("not even a promise");
    },
  });
  monitor.onAlert(good);
  expect(observe(monitor, a, 1, "SANDBOX_PROTOCOL")).toHaveLength(1);
  await monitor.close();
  expect(good.alerts).toHaveLength(1);
  expect(alertsTotal(monitor.registry.text())).toEqual({ failed: 2, sent: 1 });
});

test("a sink that never answers fails in time, and closing does not hang on it", async () => {
  const clock = fakeClock();
  const monitor = createMonitor({ alertTimeoutMs: 500 }, { clock });
  monitor.onAlert({ send: () => new Promise(() => undefined) });
  observe(monitor, a, 1, "SANDBOX_PROTOCOL");
  const closed = monitor.close();
  clock.advance(500);
  await closed;
  expect(alertsTotal(monitor.registry.text())).toEqual({ failed: 1 });
  expect(clock.pendingTimers).toBe(0);
});

test("deliveries under way to one sink are bounded: past that, alerts are dropped and counted", async () => {
  const clock = fakeClock();
  const monitor = createMonitor({}, { clock });
  monitor.onAlert({ send: () => new Promise(() => undefined) });
  violations(monitor, 100);
  expect(clock.pendingTimers).toBe(64);
  const closed = monitor.close();
  clock.advance(10_000);
  await closed;
  expect(alertsTotal(monitor.registry.text())).toEqual({ dropped: 36, failed: 64 });
});

test("a sink that was removed gets no more, and an alert without a sink is not held against a later one", async () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  const first = recordingSink();
  monitor.onAlert(first)[Symbol.dispose]();
  observe(monitor, a, 1, "SANDBOX_PROTOCOL");
  monitor.lift(a);
  const second = recordingSink();
  monitor.onAlert(second);
  observe(monitor, a, 1, "SANDBOX_PROTOCOL");
  await monitor.close();
  expect([first.alerts.length, second.alerts.length]).toEqual([0, 1]);
});

test("a closed monitor still watches, but sends no alerts", async () => {
  const sink = recordingSink();
  const monitor = createMonitor({}, { clock: fakeClock() });
  monitor.onAlert(sink);
  await monitor[Symbol.asyncDispose]();
  expect(observe(monitor, a, 1, "SANDBOX_PROTOCOL")).toHaveLength(1);
  await monitor.close();
  expect(sink.alerts).toEqual([]);
  expect(alertsTotal(monitor.registry.text())).toEqual({ dropped: 1 });
});
