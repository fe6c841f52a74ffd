import { expect, test } from "vitest";

import { nextState, refusalOfState, shownState } from "#plugin-state";

test("a plugin goes from loading to ready, and in and out of throttling", () => {
  expect(nextState("loading", "loaded")).toBe("ready");
  expect(nextState("ready", "throttle")).toBe("throttled");
  expect(nextState("throttled", "unthrottle")).toBe("ready");
  expect(nextState("sleeping", "throttle")).toBe("throttled");
});

test("only a release leads out of quarantine, and through loading", () => {
  for (const event of ["loaded", "failed", "throttle", "unthrottle", "quarantine"] as const) {
    expect(nextState("quarantined", event)).toBeUndefined();
  }
  expect(nextState("quarantined", "release")).toBe("loading");
  expect(nextState("failed", "release")).toBe("loading");
});

test("a quarantine is not lost on a plugin that is being loaded", () => {
  expect(nextState("loading", "quarantine")).toBe("quarantined");
});

test("calls are refused by the states that cannot serve them", () => {
  expect(refusalOfState("loading")).toBe("RUNTIME_NOT_READY");
  expect(refusalOfState("quarantined")).toBe("RUNTIME_QUARANTINED");
  expect(refusalOfState("failed")).toBe("RUNTIME_FAILED");
  for (const state of ["ready", "sleeping", "throttled"] as const) {
    expect(refusalOfState(state)).toBeUndefined();
  }
});

test("a plugin without a process sleeps only if it is ready", () => {
  expect(shownState("ready", 0)).toBe("sleeping");
  expect(shownState("ready", 1)).toBe("ready");
  expect(shownState("quarantined", 0)).toBe("quarantined");
});
