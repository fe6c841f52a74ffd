/**
 * @module The metrics of a process: registered once by name, updated on the hot path, printed as
 * Prometheus text when scraped (upstream: "Performance Metrics").
 */
import { received } from "@glovebox/core/errors";

import { MonitorError } from "../errors.ts";
import { DEFAULT_MAX_SERIES, MAX_BUCKETS } from "../limits.ts";
import { CounterMetric, GaugeMetric, HistogramMetric, type MetricShape } from "./metric.ts";
import { checkLabelNames, checkMetricName } from "./text-format.ts";

/** Upper bounds in seconds, from half a millisecond to half a minute. */
export const DURATION_BUCKETS_SECONDS: readonly number[] = Object.freeze([
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]);

/** What a metric is. */
export interface MetricOptions {
  /** Matches `[a-zA-Z_:][a-zA-Z0-9_:]*`; a counter's ends in `_total`. */
  readonly name: string;
  /** One sentence for the reader of the scrape. */
  readonly help: string;
  /** Label names. Default: none. */
  readonly labels?: readonly string[];
  /** Label sets held, at least 1, and the series named `other` beside them. Default: 4,096. */
  readonly maxSeries?: number;
}

/** What a histogram is. */
export interface HistogramOptions extends MetricOptions {
  /** Upper bounds in ascending order, 1 to 64. Default: durations from 0.5 ms to 30 s, in seconds. */
  readonly buckets?: readonly number[];
}

/** A number that only grows. Label values come in the order of the labels. */
export interface Counter {
  /** Adds `amount` (default 1); a negative or infinite one is dropped and counted as lost. */
  increment(labels: readonly string[], amount?: number): void;
  value(labels: readonly string[]): number;
}

/** A number that goes up and down. Label values come in the order of the labels. */
export interface Gauge {
  set(labels: readonly string[], value: number): void;
  value(labels: readonly string[]): number;
}

/** How often values fell between bounds. Label values come in the order of the labels. */
export interface Histogram {
  /** Counts a value; one that is not finite is dropped and counted as lost. */
  observe(labels: readonly string[], value: number): void;
  count(labels: readonly string[]): number;
  sum(labels: readonly string[]): number;
}

/** The metrics of a process. */
export interface Registry {
  /** @throws {@link MonitorError} (`MONITOR_METRIC`) */
  counter(options: MetricOptions): Counter;
  /** @throws {@link MonitorError} (`MONITOR_METRIC`) */
  gauge(options: MetricOptions): Gauge;
  /** @throws {@link MonitorError} (`MONITOR_METRIC`) */
  histogram(options: HistogramOptions): Histogram;
  /** Drops, in every metric, the series with this value for this label; answers how many. */
  removeSeries(label: string, value: string): number;
  /** Everything in the Prometheus text format 0.0.4; serve it with `PROMETHEUS_CONTENT_TYPE`. */
  text(): string;
}

/**
 * Makes a registry. It begins with one metric of its own, `glovebox_metrics_lost_total`: updates
 * that went to the series `other` (`reason="series"`) or were dropped (`reason="value"`).
 *
 * @example
 * ```ts
 * const registry = createRegistry();
 * const calls = registry.counter({ name: "calls_total", help: "Calls.", labels: ["plugin"] });
 * calls.increment(["rate-table"]);
 * registry.text();
 * ```
 */
export function createRegistry(): Registry {
  const metrics = new Map<string, CounterMetric | GaugeMetric | HistogramMetric>();
  const takenNames = new Set<string>();
  const lost = new CounterMetric({
    name: "glovebox_metrics_lost_total",
    help: "Updates of metrics that went to the series named other (series) or were dropped (value).",
    labels: ["metric", "reason"],
    maxSeries: DEFAULT_MAX_SERIES,
    onLoss: () => undefined,
  });

  const shape = (options: MetricOptions, reserved?: string): MetricShape => {
    const { name, help, labels = [], maxSeries = DEFAULT_MAX_SERIES } = options;
    checkMetricName(name);
    checkLabelNames(labels, reserved);
    if (!Number.isSafeInteger(maxSeries) || maxSeries < 1) {
      throw unfit(
        `maxSeries of ${name} must be a whole number of at least 1; received ${received(maxSeries)}`,
      );
    }
    return {
      name,
      help,
      labels: [...labels],
      maxSeries,
      onLoss: (reason) => lost.increment([name, reason]),
    };
  };
  const register = <M extends CounterMetric | GaugeMetric | HistogramMetric>(
    names: readonly string[],
    metric: M,
  ): M => {
    const taken = names.find((name) => takenNames.has(name));
    if (taken !== undefined) throw unfit(`${taken} is registered already`);
    for (const name of names) takenNames.add(name);
    metrics.set(names[0] ?? "", metric);
    return metric;
  };
  register(["glovebox_metrics_lost_total"], lost);

  return {
    counter(options): Counter {
      if (!options.name.endsWith("_total")) {
        throw unfit(`a counter's name ends in _total; received ${received(options.name)}`);
      }
      return register([options.name], new CounterMetric(shape(options)));
    },
    gauge: (options) => register([options.name], new GaugeMetric(shape(options))),
    histogram(options): Histogram {
      const { name, buckets = DURATION_BUCKETS_SECONDS } = options;
      checkBuckets(name, buckets);
      const names = [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
      return register(names, new HistogramMetric(shape(options, "le"), buckets));
    },
    removeSeries(label, value): number {
      let removed = 0;
      for (const metric of metrics.values()) removed += metric.remove(label, value);
      return removed;
    },
    text(): string {
      let text = "";
      for (const metric of metrics.values()) text += metric.text();
      return text;
    },
  };
}

function checkBuckets(name: string, buckets: readonly number[]): void {
  const ascend = buckets.every(
    (bound, i) => Number.isFinite(bound) && bound > (buckets[i - 1] ?? -Infinity),
  );
  if (ascend && buckets.length >= 1 && buckets.length <= MAX_BUCKETS) return;
  throw unfit(`${name} needs 1 to ${MAX_BUCKETS} finite buckets in ascending order`);
}

function unfit(message: string): MonitorError {
  return new MonitorError("MONITOR_METRIC", { message });
}
