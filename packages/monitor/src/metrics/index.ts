/** @module The door to metrics: a registry that prints the Prometheus text format. */
export { createRegistry, DURATION_BUCKETS_SECONDS } from "./registry.ts";
export type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  MetricOptions,
  Registry,
} from "./registry.ts";
export { OVERFLOW_LABEL } from "./series-table.ts";
export { PROMETHEUS_CONTENT_TYPE } from "./text-format.ts";
