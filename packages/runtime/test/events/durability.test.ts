import { recordingDecisionLog } from "@glovebox/testkit";
import { expect, test } from "vitest";

import { ECHO, flatPlugin, openRuntime } from "../open-runtime.ts";

/** Whether a promise has settled once everything that could run has run. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.finally(() => {
    settled = true;
  });
  for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
  return settled;
}

test("with `return`, a call's answer waits until its events are on disk", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({ deps: { decisionLog: log } });
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  await host.call("echo", "run");
  log.holdDurability();
  const answer = host.call("echo", "run", "late");
  await expect.poll(() => log.events.at(-1)?.event.rule).toBe("call.end");
  expect(await hasSettled(answer)).toBe(false);
  log.releaseDurability();
  expect(await answer).toBe("late");
});

test("with `return`, also the answer to a refused call waits", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({ deps: { decisionLog: log } });
  log.holdDurability();
  const answer = host.call("nobody", "run");
  expect(await hasSettled(answer)).toBe(false);
  log.releaseDurability();
  expect(await answer).toBe("RUNTIME_PLUGIN_UNKNOWN");
});

test("with `effect`, a call does not start before its event is on disk", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({
    deps: { decisionLog: log },
    audit: { auditDurability: "effect" },
  });
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  log.holdDurability();
  const answer = host.call("echo", "run", "late");
  expect(await hasSettled(answer)).toBe(false);
  expect(log.events.at(-1)?.event.rule).toBe("call.start");
  log.releaseDurability();
  expect(await answer).toBe("late");
});

test("with `effect`, a call whose event cannot be written never starts", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({
    deps: { decisionLog: log },
    audit: { auditDurability: "effect" },
  });
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  log.holdDurability();
  const answer = host.call("echo", "run");
  await expect.poll(() => log.events.at(-1)?.event.rule).toBe("call.start");
  log.failDurability(new Error("ENOSPC"));
  expect(await answer).toBe("RUNTIME_NOT_RECORDED");
  expect(log.events.at(-1)?.event.rule).toBe("call.start");
});

test("with `async`, a named loosening, nothing waits for the disk", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({
    deps: { decisionLog: log },
    audit: { auditDurability: "async" },
  });
  log.holdDurability();
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  expect(await host.call("echo", "run", "at once")).toBe("at once");
  expect(host.runtime.status().loosened).toContain("audit.auditDurability");
  log.releaseDurability();
});

test("refuses a call that the log has no room for, before it starts", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({ deps: { decisionLog: log } });
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  log.refuseWith("AUDITOR_QUEUE_FULL");
  const outcome = await host.runtime.executePluginFunction("echo", "run", {}, "x");
  expect(outcome).toMatchObject({ ok: false, error: { code: "RUNTIME_NOT_RECORDED" } });
  expect(outcome.usage.wallMs).toBe(0);
  log.accept();
  expect(await host.call("echo", "run", "later")).toBe("later");
});

test("withholds an answer whose event could not be written", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({ deps: { decisionLog: log } });
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  log.holdDurability();
  const answer = host.runtime.executePluginFunction("echo", "run", {}, "x");
  await expect.poll(() => log.events.at(-1)?.event.rule).toBe("call.end");
  log.failDurability(new Error("EIO"));
  const outcome = await answer;
  expect(outcome).toMatchObject({ ok: false, error: { code: "RUNTIME_NOT_RECORDED" } });
  expect(outcome.usage.wallMs).toBeGreaterThan(0);
});

test("quarantines also while the log takes nothing", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({ deps: { decisionLog: log } });
  await host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) });
  log.refuseWith("AUDITOR_POISONED");
  expect(await host.runtime.quarantine("echo", "the log is broken")).toBe(true);
  expect(host.runtime.list()).toMatchObject([{ state: "quarantined", processes: 0 }]);
  log.accept();
});

test("loads nothing that the log does not take", async () => {
  const log = recordingDecisionLog();
  await using host = await openRuntime({ deps: { decisionLog: log } });
  log.refuseWith("AUDITOR_QUEUE_FULL");
  await expect(host.load({ id: "echo", wasm: flatPlugin({ run: ECHO }) })).rejects.toThrow(
    "RUNTIME_NOT_RECORDED",
  );
  expect(host.runtime.list()).toEqual([]);
  log.accept();
});
