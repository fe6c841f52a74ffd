/** @module A console call in a test fails it: libraries report through values, events and loggers. */
import { afterEach, beforeEach, expect, vi } from "vitest";

const METHODS = ["log", "info", "warn", "error", "debug"] as const;

beforeEach(() => {
  for (const method of METHODS) vi.spyOn(console, method).mockImplementation(() => undefined);
});

afterEach(() => {
  for (const method of METHODS) {
    const calls = vi.mocked(console[method]).mock.calls;
    expect(calls, `console.${method} was called in a test`).toEqual([]);
  }
  vi.restoreAllMocks();
});
