import { subscribe, unsubscribe } from "node:diagnostics_channel";

import type { AuditEvent } from "@glovebox/core/ports";
import { callScope, fakeClock, recordingDecisionLog } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { createEvents } from "#events";

import "@glovebox/testkit/matchers";

const DENIED: AuditEvent = { kind: "network.request", success: false, code: "X", rule: "r" };

function parts() {
  const log = recordingDecisionLog();
  const told: AuditEvent[] = [];
  const warnings: object[] = [];
  const ignore = (): void => undefined;
  const logger = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (fields: object) => void warnings.push(fields),
  };
  const sink = { onEvent: (_scope: unknown, event: AuditEvent) => void told.push(event) };
  const clock = fakeClock();
  return { log, told, warnings, clock, logger, sink, durability: "return" as const };
}

test("writes a module's kind in the words of the log, and keeps its own word", () => {
  const all = parts();
  createEvents(all).record(callScope(), DENIED);
  expect(all.log.events[0]?.event).toMatchObject({
    kind: "http",
    code: "X",
    details: { step: "network.request" },
  });
});

test("refuses what the log does not take, and what makes it throw", () => {
  const all = parts();
  all.log.refuseWith("AUDITOR_QUEUE_FULL");
  expect(createEvents(all).record({}, DENIED)).toRefuse("RUNTIME_NOT_RECORDED");
  const broken = {
    record: () => {
      throw new Error("broken");
    },
  };
  expect(createEvents({ ...all, log: broken }).record({}, DENIED)).toRefuse("RUNTIME_NOT_RECORDED");
});

test("tells the monitor and subscribers, without the call's signal and meter", () => {
  const all = parts();
  const seen: unknown[] = [];
  const listen = (message: unknown): void => void seen.push(message);
  subscribe("glovebox:event", listen);
  const scope = callScope({ tenantId: "acme" });
  createEvents(all).record(scope, DENIED);
  unsubscribe("glovebox:event", listen);
  const { pluginId, callId, tenantId } = scope;
  expect(seen).toMatchObject([{ scope: { pluginId, callId, tenantId }, event: { code: "X" } }]);
  expect(Object.keys((seen[0] as { scope: object }).scope)).toHaveLength(3);
  expect(all.told).toMatchObject([{ kind: "http" }]);
});

test("keeps a flood of denials out of the operator's log, and counts what it left out", () => {
  const all = parts();
  const events = createEvents(all);
  for (let at = 0; at < 1_000; at += 1) events.record(callScope(), DENIED);
  expect(all.log.events).toHaveLength(1_000);
  expect(all.warnings.length).toBe(20);
  all.clock.advance(1_000);
  events.record(callScope(), DENIED);
  expect(all.warnings.at(-1)).toMatchObject({ unlogged: 980 });
});
