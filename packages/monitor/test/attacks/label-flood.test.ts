/** @module A label value for each request (CWE-770): neither memory nor a scrape may grow. */
import { OVERFLOW_LABEL, createRegistry } from "@glovebox/monitor/metrics";
import { expect, test } from "vitest";

import { readExposition } from "../metrics/exposition.ts";

test("a hundred thousand label sets leave the bound and one named other, and nothing is lost uncounted", () => {
  const registry = createRegistry();
  const counter = registry.counter({
    name: "c_total",
    help: "",
    labels: ["a", "b"],
    maxSeries: 10,
  });
  for (let i = 0; i < 100_000; i += 1) counter.increment([`a-${i}`, "b"]);
  counter.increment(["a-0", "b"]);
  const samples = readExposition(registry.text()).get("c_total")?.samples ?? [];
  expect(samples).toHaveLength(11);
  expect(counter.value(["a-0", "b"])).toBe(2);
  expect(counter.value([OVERFLOW_LABEL, OVERFLOW_LABEL])).toBe(99_990);
  const lost = 'glovebox_metrics_lost_total{metric="c_total",reason="series"} 99990\n';
  expect(registry.text()).toContain(lost);
});

test("a label value of a megabyte is not kept", () => {
  const registry = createRegistry();
  const counter = registry.counter({ name: "c_total", help: "", labels: ["l"] });
  counter.increment(["x".repeat(1_000_000)]);
  expect(counter.value([OVERFLOW_LABEL])).toBe(1);
  expect(registry.text().length).toBeLessThan(1_000);
});

test("a series that is removed makes room for another", () => {
  const registry = createRegistry();
  const counter = registry.counter({ name: "c_total", help: "", labels: ["l"], maxSeries: 1 });
  counter.increment(["a"]);
  registry.removeSeries("l", "a");
  counter.increment(["b"]);
  expect([counter.value(["a"]), counter.value(["b"])]).toEqual([0, 1]);
});
