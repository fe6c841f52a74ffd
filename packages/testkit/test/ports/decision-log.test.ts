import type { AuditPlace } from "@glovebox/core/ports";
import { callScope, recordingDecisionLog } from "@glovebox/testkit";
import type { RecordingDecisionLog } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

function accepted(log: RecordingDecisionLog, kind = "call"): AuditPlace {
  const decision = log.record(callScope(), { kind, success: true });
  if (!decision.allowed) throw new Error(decision.reason);
  return decision.value;
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

test("keeps events in order, with a place and a receipt for each", async () => {
  const log = recordingDecisionLog();
  const [first, second] = [accepted(log, "load"), accepted(log, "call")];
  expect(log.kinds).toEqual(["load", "call"]);
  expect([first.place, second.place]).toEqual([0, 1]);
  expect(await second.durable).toMatchObject({ index: 1, size: 2 });
  expect(await second.sealed).toMatchObject({ index: 1, size: 2 });
});

test("keeps a copy of the event and only the ids of the scope", () => {
  const log = recordingDecisionLog();
  const scope = callScope({ tenantId: "acme" });
  const details = { path: "/data/a" };
  log.record(scope, { kind: "file", success: true, details });
  details.path = "/etc/passwd";
  expect(log.events[0]?.event.details).toEqual({ path: "/data/a" });
  const { pluginId, callId, tenantId } = scope;
  expect(log.events[0]?.scope).toEqual({ pluginId, callId, tenantId });
  log.record({}, { kind: "start", success: true });
  expect(log.events[1]?.scope).toEqual({});
});

test("refuses when told to, keeps what it refused apart, and accepts again", () => {
  const log = recordingDecisionLog();
  log.refuseWith("AUDITOR_QUEUE_FULL", "the queue is full");
  expect(log.record(callScope(), { kind: "call", success: true })).toRefuse("AUDITOR_QUEUE_FULL");
  expect([log.events.length, log.refused.length]).toEqual([0, 1]);
  log.refuseWith();
  expect(log.record(callScope(), { kind: "call", success: true })).toRefuse("TESTKIT_LOG_REFUSED");
  log.accept();
  expect(accepted(log).place).toBe(0);
});

test("holds durability back until it is released", async () => {
  const log = recordingDecisionLog();
  log.holdDurability();
  const { durable, sealed } = accepted(log);
  expect([await isPending(durable), await isPending(sealed)]).toEqual([true, true]);
  log.releaseDurability();
  expect(await durable).toMatchObject({ index: 0 });
  expect(await accepted(log).durable).toMatchObject({ index: 1 });
});

test("fails durability as a full disk does, without an unhandled rejection", async () => {
  const log = recordingDecisionLog();
  log.holdDurability();
  const waiting = accepted(log);
  accepted(log);
  log.failDurability(new Error("ENOSPC"));
  await expect(waiting.durable).rejects.toThrow("ENOSPC");
  expect(await accepted(log).durable).toMatchObject({ index: 2 });
});

test("has nothing to release or to fail while it holds nothing", async () => {
  const log = recordingDecisionLog();
  log.releaseDurability();
  log.failDurability(new Error("ENOSPC"));
  expect(await accepted(log).durable).toMatchObject({ index: 0 });
});
