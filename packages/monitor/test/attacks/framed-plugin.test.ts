/** @module Callers try to have an honest plugin quarantined (CWE-400): what they control must not count. */
import { SEVERITIES, createMonitor } from "@glovebox/monitor";
import { fakeClock } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { observe, plugin } from "../observation.ts";

const honest = plugin("honest");

/** What a caller can bring about without the plugin doing anything wrong. */
const CALLER_MADE = [
  "SANDBOX_INPUT_SIZE",
  "SANDBOX_EXPORT_MISSING",
  "SANDBOX_QUEUE_FULL",
  "SANDBOX_NOT_STARTED",
  "SANDBOX_PLUGIN_ERROR",
  "LIMITER_RATE",
  "LIMITER_CONCURRENCY",
  "LIMITER_ABORTED",
  "RUNTIME_INPUT_SCHEMA",
];

test.each(CALLER_MADE)("a flood of %s brings quarantine no nearer", (code) => {
  const monitor = createMonitor({ failureThreshold: 2 }, { clock: fakeClock() });
  observe(monitor, honest, 1, "SANDBOX_TRAP");
  expect(observe(monitor, honest, 1_000, code)).toEqual([]);
  expect(monitor.health(honest).quarantined).toBe(false);
});

test("the table of severities cannot be changed by whoever imports it", () => {
  expect(Object.isFrozen(SEVERITIES)).toBe(true);
});
