import { SEVERITIES, createMonitor } from "@glovebox/monitor";
import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { observe, plugin } from "./observation.ts";

const a = plugin("a");
const b = plugin("b");

test("five failures in a row are noted at the third and lead to quarantine at the fifth", () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  expect(observe(monitor, a, 2, "SANDBOX_TRAP")).toEqual([]);
  expect(observe(monitor, a, 1, "SANDBOX_TRAP")).toMatchObject([{ kind: "note", pluginId: "a" }]);
  expect(observe(monitor, a, 1, "SANDBOX_TRAP")).toEqual([]);
  expect(observe(monitor, a, 1, "SANDBOX_WALL_LIMIT")).toEqual([
    {
      kind: "quarantine",
      pluginId: "a",
      rule: "monitor.consecutive-failures",
      code: "SANDBOX_WALL_LIMIT",
      reason:
        "5 points of failure without a success, the last for SANDBOX_WALL_LIMIT; quarantined for 30000 ms",
      durationMs: 30_000,
    },
  ]);
});

test("a success starts the count anew", () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  observe(monitor, a, 4, "SANDBOX_TRAP");
  observe(monitor, a, 1);
  const kinds = observe(monitor, a, 4, "SANDBOX_TRAP").map(({ kind }) => kind);
  expect(kinds).toEqual(["note"]);
});

test("errors that the plugin answers, and failures of others, neither count nor start anew", () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  observe(monitor, a, 4, "SANDBOX_TRAP");
  expect(observe(monitor, a, 50, "SANDBOX_PLUGIN_ERROR")).toEqual([]);
  expect(observe(monitor, a, 50, "SANDBOX_QUEUE_FULL")).toEqual([]);
  expect(observe(monitor, a, 1, "SANDBOX_TRAP")).toMatchObject([{ kind: "quarantine" }]);
});

test("a serious failure counts twice", () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  const actions = observe(monitor, a, 3, "SANDBOX_OUTPUT_RANGE");
  expect(actions.map(({ kind }) => kind)).toEqual(["note", "quarantine"]);
});

test("failures of one plugin do not count against another", () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  observe(monitor, a, 4, "SANDBOX_TRAP");
  expect(observe(monitor, b, 1, "SANDBOX_TRAP")).toEqual([]);
});

test.each(Object.keys(SEVERITIES).filter((code) => SEVERITIES[code] === "violation"))(
  "%s leads to quarantine at once, until somebody lifts it",
  (code) => {
    const clock = fakeClock();
    const monitor = createMonitor({}, { clock });
    expect(observe(monitor, a, 1, code)).toMatchObject([
      { kind: "quarantine", rule: "monitor.sandbox-violation", durationMs: null },
    ]);
    expect(observe(monitor, a, 3, code)).toEqual([]);
    clock.advance(1e9);
    expect(monitor.health(a).quarantined).toBe(true);
    expect([monitor.lift(a), monitor.lift(a)]).toEqual([true, false]);
    expect(observe(monitor, a, 1, code)).toMatchObject([{ kind: "quarantine" }]);
  },
);

test("a runner that is lost is no violation", () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  expect(observe(monitor, a, 1, "SANDBOX_RUNNER_LOST")).toEqual([]);
});

test("a sandbox code that nobody listed counts as a failure, also one that names a prototype's member", () => {
  const monitor = createMonitor({ failureThreshold: 1 }, { clock: fakeClock() });
  expect(observe(monitor, a, 1, "SANDBOX_SOMETHING_NEW")).toMatchObject([{ kind: "quarantine" }]);
  expect(observe(monitor, b, 1, "constructor")).toEqual([]);
});

test("severities can be set and overridden by code", () => {
  const severities = { SANDBOX_TRAP: "none", RUNTIME_OUTPUT_SCHEMA: "violation" } as const;
  const monitor = createMonitor({ severities }, { clock: fakeClock() });
  expect(observe(monitor, a, 50, "SANDBOX_TRAP")).toEqual([]);
  expect(observe(monitor, a, 1, "RUNTIME_OUTPUT_SCHEMA")).toMatchObject([{ kind: "quarantine" }]);
});

test("calls that were under way when the quarantine began are not judged again, violations are", () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  observe(monitor, a, 5, "SANDBOX_TRAP");
  expect(observe(monitor, a, 20, "SANDBOX_TRAP")).toEqual([]);
  expect(observe(monitor, a, 1, "SANDBOX_PROTOCOL")).toMatchObject([{ durationMs: null }]);
});

test("each quarantine lasts longer than the one before, up to the longest", () => {
  const clock = fakeClock();
  const monitor = createMonitor({ maxQuarantineMs: 100_000 }, { clock });
  const durations = Array.from({ length: 5 }, () => {
    const action = observe(monitor, a, 5, "SANDBOX_TRAP").at(-1);
    const durationMs = action?.kind === "quarantine" ? (action.durationMs ?? 0) : 0;
    clock.advance(durationMs);
    return durationMs;
  });
  expect(durations).toEqual([30_000, 60_000, 90_000, 100_000, 100_000]);
});

test("freedom without a quarantine makes up for earlier ones, one by one", () => {
  const clock = fakeClock();
  const monitor = createMonitor({}, { clock });
  for (const durationMs of [30_000, 60_000, 90_000]) {
    observe(monitor, a, 5, "SANDBOX_TRAP");
    clock.advance(durationMs);
  }
  clock.advance(600_000);
  const action = observe(monitor, a, 5, "SANDBOX_TRAP").at(-1);
  expect(action).toMatchObject({ kind: "quarantine", durationMs: 60_000 });
});

test("lifting a quarantine does not make the next one shorter", () => {
  const monitor = createMonitor({}, { clock: fakeClock() });
  observe(monitor, a, 5, "SANDBOX_TRAP");
  expect(monitor.lift(a)).toBe(true);
  expect(observe(monitor, a, 5, "SANDBOX_TRAP").at(-1)).toMatchObject({ durationMs: 60_000 });
  expect(monitor.lift(b)).toBe(false);
});

test("when half of the plugins are in quarantine, further failures only throttle", () => {
  const clock = fakeClock();
  const monitor = createMonitor({}, { clock });
  const ids = ["a", "b", "c", "d"].map(plugin);
  for (const id of ids) observe(monitor, id, 1);
  const last = ids.map((id) => observe(monitor, id, 5, "SANDBOX_TRAP").at(-1));
  expect(last.map((action) => action?.kind)).toEqual([
    "quarantine",
    "quarantine",
    "throttle",
    "throttle",
  ]);
  expect(last[2]).toMatchObject({ level: 0.9, durationMs: 30_000 });
  clock.advance(30_000);
  expect(observe(monitor, plugin("c"), 5, "SANDBOX_TRAP").at(-1)).toMatchObject({
    kind: "quarantine",
  });
});

test("one plugin may always be quarantined, and a violation always is", () => {
  const monitor = createMonitor({ maxQuarantinedShare: 0 }, { clock: fakeClock() });
  expect(observe(monitor, a, 5, "SANDBOX_TRAP").at(-1)).toMatchObject({ kind: "quarantine" });
  expect(observe(monitor, b, 5, "SANDBOX_TRAP").at(-1)).toMatchObject({ kind: "throttle" });
  expect(observe(monitor, b, 1, "SANDBOX_PROTOCOL")).toMatchObject([{ kind: "quarantine" }]);
});
