import { newCallId } from "@glovebox/core/ids";
import { callScope } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

test("gives every call an id of its own and no tenant unless asked", () => {
  const [first, second] = [callScope(), callScope()];
  expect(first.pluginId).toBe("test-plugin");
  expect(first.callId).not.toBe(second.callId);
  expect(first).not.toHaveProperty("tenantId");
});

test("takes ids as plain strings and parses them", () => {
  const callId = newCallId();
  const scope = callScope({ pluginId: "rate-table", tenantId: "acme", callId });
  expect([scope.pluginId, scope.tenantId, scope.callId]).toEqual(["rate-table", "acme", callId]);
  expect(() => callScope({ pluginId: "Not An Id" })).toThrowCode("TESTKIT_SCOPE");
  expect(() => callScope({ tenantId: "a b" })).toThrowCode("TESTKIT_SCOPE");
});

test("its controller aborts the signal, and so does a signal from outside", () => {
  const scope = callScope();
  scope.controller.abort("revoked");
  expect(scope.signal.reason).toBe("revoked");
  const outer = new AbortController();
  const nested = callScope({ signal: outer.signal });
  expect(nested.signal.aborted).toBe(false);
  outer.abort("deadline");
  expect(nested.signal.reason).toBe("deadline");
  expect(outer.signal.aborted && nested.controller.signal.aborted).toBe(false);
});

test("its meter adds up by counter, and tells another meter", () => {
  const other = callScope().meter;
  const { meter } = callScope({ meter: other });
  meter.add("hostCalls", 2);
  meter.add("hostCalls", 3);
  meter.add("networkRequests", 1);
  expect(meter.counts).toEqual({ networkRequests: 1, fileOperations: 0, hostCalls: 5 });
  expect(other.counts).toEqual(meter.counts);
});
