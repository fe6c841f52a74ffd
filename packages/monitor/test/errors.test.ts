import { readFileSync } from "node:fs";

import { MONITOR_ERRORS, MonitorError } from "@glovebox/monitor";
import { expect, test } from "vitest";

test("the error page has one heading for each code of the table", () => {
  const page = readFileSync(new URL("../../../docs/errors/monitor.md", import.meta.url), "utf8");
  const anchors = Array.from(page.matchAll(/^## (\S+)$/gm), ([, code = ""]) => code);
  expect(anchors.sort()).toEqual(Object.keys(MONITOR_ERRORS).sort());
});

test("an error is recognised by its brand and carries its code", () => {
  const error = new MonitorError("MONITOR_METRIC");
  expect(error).toBeInstanceOf(MonitorError);
  expect(error.code).toBe("MONITOR_METRIC");
  expect(error.message).toBe(MONITOR_ERRORS.MONITOR_METRIC.summary);
});
