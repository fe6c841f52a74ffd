import "@glovebox/testkit/matchers";
import { createRegistry } from "@glovebox/monitor/metrics";
import { expect, test } from "vitest";

import { readExposition } from "./exposition.ts";

test("a counter adds up by label set", () => {
  const counter = createRegistry().counter({ name: "c_total", help: "C.", labels: ["l"] });
  counter.increment(["a"]);
  counter.increment(["a"], 2);
  counter.increment(["b"], 0.5);
  expect(["a", "b", "c"].map((l) => counter.value([l]))).toEqual([3, 0.5, 0]);
});

test("a counter never falls: what would make it fall is dropped and counted", () => {
  const registry = createRegistry();
  const counter = registry.counter({ name: "c_total", help: "C." });
  counter.increment([], 5);
  for (const amount of [-1, Number.NaN, Infinity]) counter.increment([], amount);
  expect(counter.value([])).toBe(5);
  expect(registry.text()).toContain(
    'glovebox_metrics_lost_total{metric="c_total",reason="value"} 3\n',
  );
});

test("a gauge holds the last value", () => {
  const gauge = createRegistry().gauge({ name: "g", help: "G.", labels: ["l"] });
  gauge.set(["a"], 5);
  gauge.set(["a"], -2);
  expect(gauge.value(["a"])).toBe(-2);
});

test("a histogram's buckets are cumulative, a bound belongs to its bucket, the last is the count", () => {
  const registry = createRegistry();
  const histogram = registry.histogram({ name: "h", help: "H.", buckets: [1, 2] });
  for (const value of [1, 1.5, 2, 3, -4]) histogram.observe([], value);
  histogram.observe([], Number.NaN);
  const samples = readExposition(registry.text()).get("h")?.samples ?? [];
  expect(samples.map(({ name, labels, value }) => [name, labels["le"], value])).toEqual([
    ["h_bucket", "1", 2],
    ["h_bucket", "2", 4],
    ["h_bucket", "+Inf", 5],
    ["h_sum", undefined, 3.5],
    ["h_count", undefined, 5],
  ]);
  expect([histogram.count([]), histogram.sum([])]).toEqual([5, 3.5]);
});

test("a metric without labels is there from the start, one with labels when it has a value", () => {
  const registry = createRegistry();
  registry.counter({ name: "bare_total", help: "B." });
  registry.counter({ name: "labelled_total", help: "L.", labels: ["l"] });
  const read = readExposition(registry.text());
  expect(read.get("bare_total")?.samples).toEqual([{ name: "bare_total", labels: {}, value: 0 }]);
  expect(read.get("labelled_total")?.samples).toEqual([]);
});

test("label sets with the same letters differently divided are different", () => {
  const counter = createRegistry().counter({ name: "c_total", help: "C.", labels: ["a", "b"] });
  counter.increment(["x1:", "y"]);
  counter.increment(["x", "1:y"]);
  expect([counter.value(["x1:", "y"]), counter.value(["x", "1:y"])]).toEqual([1, 1]);
});

test("values stay apart while their number grows, and slots of removed series start at 0", () => {
  const registry = createRegistry();
  const histogram = registry.histogram({
    name: "h",
    help: "H.",
    labels: ["plugin", "i"],
    buckets: [1],
  });
  for (let i = 0; i < 100; i += 1) histogram.observe(["p", String(i)], i);
  const sums = Array.from({ length: 100 }, (_, i) => histogram.sum(["p", String(i)]));
  expect(sums).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(registry.removeSeries("plugin", "p")).toBe(100);
  expect(registry.removeSeries("nobody", "p")).toBe(0);
  histogram.observe(["q", "1"], 0.5);
  expect([histogram.count(["q", "1"]), histogram.sum(["q", "1"])]).toEqual([1, 0.5]);
});

test.each([
  { name: "1st", help: "" },
  { name: "with-dash", help: "" },
  { name: "with\nbreak", help: "" },
  { name: "", help: "" },
  { name: "g", help: "", labels: ["__reserved"] },
  { name: "g", help: "", labels: ["a:b"] },
  { name: "g", help: "", labels: ["twice", "twice"] },
  { name: "g", help: "", maxSeries: 0 },
])("refuses to register %j", (options) => {
  expect(() => createRegistry().gauge(options)).toThrowCode("MONITOR_METRIC");
});

test("a counter's name ends in _total, and a histogram keeps the label le to itself", () => {
  const registry = createRegistry();
  expect(() => registry.counter({ name: "calls", help: "" })).toThrowCode("MONITOR_METRIC");
  expect(() => registry.histogram({ name: "h", help: "", labels: ["le"] })).toThrowCode(
    "MONITOR_METRIC",
  );
});

test.each([
  [[]],
  [[2, 1]],
  [[1, 1]],
  [[Number.NaN]],
  [[Infinity]],
  [Array.from({ length: 65 }, (_, i) => i)],
])("refuses the buckets %j", (buckets) => {
  const register = (): unknown => createRegistry().histogram({ name: "h", help: "", buckets });
  expect(register).toThrowCode("MONITOR_METRIC");
});

test("a name is registered once, also one that a histogram makes", () => {
  const registry = createRegistry();
  registry.histogram({ name: "h", help: "" });
  expect(() => registry.gauge({ name: "h_sum", help: "" })).toThrowCode("MONITOR_METRIC");
  expect(() => registry.gauge({ name: "h", help: "" })).toThrowCode("MONITOR_METRIC");
});

test("the number of label values has to be right", () => {
  const counter = createRegistry().counter({ name: "c_total", help: "", labels: ["a"] });
  expect(() => counter.increment([])).toThrowCode("MONITOR_LABELS");
  expect(() => counter.increment(["a", "b"])).toThrowCode("MONITOR_LABELS");
});
