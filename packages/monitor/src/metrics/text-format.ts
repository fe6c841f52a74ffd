/**
 * @module The Prometheus text exposition format, version 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats). Label values may be attacker-controlled: an
 * unescaped quote or line break would let a plugin's text invent samples (CWE-74).
 */
import { received } from "@glovebox/core/errors";

import { MonitorError } from "../errors.ts";

/** What a scrape is answered with as `Content-Type`. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
/** Names with two underscores in front are Prometheus' own. */
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** A label and its value. */
export type LabelPair = readonly [name: string, value: string];

/**
 * Checks a metric's name.
 *
 * @throws {@link MonitorError} (`MONITOR_METRIC`)
 */
export function checkMetricName(name: string): void {
  if (METRIC_NAME.test(name)) return;
  throw new MonitorError("MONITOR_METRIC", {
    message: `a metric's name matches ${METRIC_NAME.source}; received ${received(name)}`,
  });
}

/**
 * Checks a metric's label names; `reserved` is the label that its type adds itself.
 *
 * @throws {@link MonitorError} (`MONITOR_METRIC`)
 */
export function checkLabelNames(names: readonly string[], reserved?: string): void {
  for (const name of names) {
    if (LABEL_NAME.test(name) && name !== reserved) continue;
    throw new MonitorError("MONITOR_METRIC", {
      message: `a label's name matches ${LABEL_NAME.source} and is not ${reserved ?? "reserved"}; received ${received(name)}`,
    });
  }
  if (new Set(names).size !== names.length) {
    throw new MonitorError("MONITOR_METRIC", { message: `labels repeat: ${names.join(", ")}` });
  }
}

/** The two lines that open a metric. */
export function headerLines(name: string, type: string, help: string): string {
  const escaped = help.toWellFormed().replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
}

/** One sample with its line feed. */
export function sampleLine(name: string, labels: readonly LabelPair[], value: number): string {
  const list = labels.map(([label, text]) => `${label}="${escapeLabelValue(text)}"`).join(",");
  return list === ""
    ? `${name} ${formatNumber(value)}\n`
    : `${name}{${list}} ${formatNumber(value)}\n`;
}

/** A number as Go's ParseFloat reads it. */
export function formatNumber(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

/** UTF-8 text has no lone surrogates, and the format escapes these three characters and no other. */
function escapeLabelValue(value: string): string {
  return value
    .toWellFormed()
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n");
}
