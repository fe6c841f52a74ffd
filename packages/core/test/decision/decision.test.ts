import { type Decision, allow, failClosed, failClosedAsync, refuse } from "@glovebox/core/decision";
import { expect, it } from "vitest";

it("passes the decision of a check through unchanged", async () => {
  const yes = allow("rule", 1);
  const no = refuse("X_NO", "rule", "no");
  expect(failClosed("rule", () => yes)).toBe(yes);
  expect(failClosed("rule", () => no)).toBe(no);
  expect(await failClosedAsync("rule", async () => yes)).toBe(yes);
});

it("refuses when the check throws", () => {
  const decision = failClosed("network.hosts", (): Decision<never> => {
    throw new TypeError("no such host table");
  });
  expect(decision).toEqual({
    allowed: false,
    code: "CORE_CHECK_FAILED",
    rule: "network.hosts",
    reason: "the check network.hosts failed and so refuses: TypeError: no such host table",
  });
});

it("refuses when the check rejects, and when it throws before it answers a promise", async () => {
  const rejected = failClosedAsync("r", () => Promise.reject<Decision<never>>(new Error("late")));
  expect(await rejected).toMatchObject({ allowed: false, code: "CORE_CHECK_FAILED" });
  const threw = failClosedAsync("r", (): Promise<Decision<never>> => {
    throw new Error("early");
  });
  expect(await threw).toMatchObject({ allowed: false, code: "CORE_CHECK_FAILED" });
});

it("refuses even when what was thrown cannot be read", () => {
  const hostile = Object.create(null) as object;
  const decision = failClosed("r", (): Decision<never> => {
    throw hostile;
  });
  expect(decision).toMatchObject({
    allowed: false,
    reason: "the check r failed and so refuses: an error that cannot be read",
  });
});

it("keeps the reason of a failed check one bounded line", () => {
  const decision = failClosed("r", (): Decision<never> => {
    throw new Error(`x\n${"y".repeat(10_000)}`);
  });
  const reason = decision.allowed ? "" : decision.reason;
  expect(reason).toMatch(/^the check r failed/);
  expect(reason).not.toContain("\n");
  expect(reason.length).toBeLessThan(2_100);
});

it("says when waiting helps, and leaves the field out when it does not", () => {
  expect(refuse("C", "r", "why", 250)).toHaveProperty("retryAfterMs", 250);
  expect(refuse("C", "r", "why")).not.toHaveProperty("retryAfterMs");
});
