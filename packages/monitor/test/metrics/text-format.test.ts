import { createRegistry } from "@glovebox/monitor/metrics";
import fc from "fast-check";
import { expect, test } from "vitest";

import { readExposition } from "./exposition.ts";

test("prints a counter, a gauge and a histogram as the format's description shows them", () => {
  const registry = createRegistry();
  const calls = registry.counter({
    name: "calls_total",
    help: "Calls.",
    labels: ["plugin", "code"],
  });
  calls.increment(["a", "OK"], 3);
  registry.gauge({ name: "runners", help: "Runners." }).set([], 2.5);
  const seconds = registry.histogram({
    name: "seconds",
    help: "Time.",
    labels: ["plugin"],
    buckets: [0.1, 1],
  });
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(["a"], value);
  expect(registry.text())
    .toBe(`# HELP glovebox_metrics_lost_total Updates of metrics that went to the series named other (series) or were dropped (value).
# TYPE glovebox_metrics_lost_total counter
# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{plugin="a",code="OK"} 3
# HELP runners Runners.
# TYPE runners gauge
runners 2.5
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{plugin="a",le="0.1"} 2
seconds_bucket{plugin="a",le="1"} 3
seconds_bucket{plugin="a",le="+Inf"} 4
seconds_sum{plugin="a"} 7.65
seconds_count{plugin="a"} 4
`);
});

test("escapes backslash, quote and line feed in label values, and in help all but the quote", () => {
  const registry = createRegistry();
  const gauge = registry.gauge({ name: "g", help: 'a\\b"c\nd', labels: ["l"] });
  gauge.set(['a\\b"c\nd'], 1);
  expect(registry.text()).toContain('# HELP g a\\\\b"c\\nd\n');
  expect(registry.text()).toContain('g{l="a\\\\b\\"c\\nd"} 1\n');
});

test("prints special numbers as Go reads them", () => {
  const registry = createRegistry();
  const gauge = registry.gauge({ name: "g", help: "G.", labels: ["l"] });
  for (const value of [Number.NaN, Infinity, -Infinity, -0, 1e21, 5e-7])
    gauge.set([String(value)], value);
  const values = readExposition(registry.text())
    .get("g")
    ?.samples.map(({ value }) => value);
  expect(values).toEqual([Number.NaN, Infinity, -Infinity, 0, 1e21, 5e-7]);
});

test("whatever stands in label values and help, a reader of the format gets it back", () => {
  const wild = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom('"', "\\", "\n", '\\"', "\\n", "} 1\nx{"),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(wild, wild), { maxLength: 8 }), wild, (pairs, help) => {
      const registry = createRegistry();
      const counter = registry.counter({ name: "c_total", help, labels: ["a", "b"] });
      for (const pair of pairs) counter.increment(pair);
      const read = readExposition(registry.text()).get("c_total");
      const expected = new Set(pairs.map(([a, b]) => JSON.stringify({ a, b })));
      expect(read?.help).toBe(help);
      expect(new Set(read?.samples.map(({ labels }) => JSON.stringify(labels)))).toEqual(expected);
    }),
  );
});

test("half a surrogate pair becomes the replacement character, as UTF-8 has no other", () => {
  const registry = createRegistry();
  registry.gauge({ name: "g", help: "\ud800", labels: ["l"] }).set(["\udfff"], 1);
  expect(registry.text()).toContain("# HELP g \ufffd\n");
  expect(registry.text()).toContain('g{l="\ufffd"} 1\n');
});
