/**
 * @module A strict reader of the Prometheus text format 0.0.4, written from its description and not
 * from our writer: line by line, one group per metric, HELP and TYPE before the samples.
 */

/** One sample as read. */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric as read. */
export interface ReadMetric {
  readonly help: string;
  readonly type: string;
  readonly samples: ReadSample[];
}

const HELP = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s;
const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/s;
const NUMBER = /^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;

/** Reads a whole exposition, or throws at the first line that breaks a rule. */
export function readExposition(text: string): ReadonlyMap<string, ReadMetric> {
  const metrics = new Map<string, ReadMetric>();
  if (!text.endsWith("\n")) throw new Error("the last line has no line feed");
  const lines = text.slice(0, -1).split("\n");
  let current = "";
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? "";
    const help = HELP.exec(line);
    if (help !== null) {
      const [, name = "", escaped = ""] = help;
      const type = TYPE.exec(lines[(i += 1)] ?? "");
      if (type?.[1] !== name) throw new Error(`no TYPE after HELP of ${name}`);
      if (metrics.has(name)) throw new Error(`${name} comes in two groups`);
      metrics.set(name, { help: unescape(escaped), type: type[2] ?? "", samples: [] });
      current = name;
      continue;
    }
    const sample = readSample(line);
    const metric = metrics.get(current);
    const suffix = sample.name.slice(current.length);
    const suffixes = metric?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    if (metric === undefined || !sample.name.startsWith(current) || !suffixes.includes(suffix)) {
      throw new Error(`${sample.name} stands in the group of ${current}`);
    }
    const isRepeated = metric.samples.some(
      ({ name, labels }) =>
        name === sample.name && JSON.stringify(labels) === JSON.stringify(sample.labels),
    );
    if (isRepeated) throw new Error(`repeated: ${line}`);
    metric.samples.push(sample);
  }
  return metrics;
}

function readSample(line: string): ReadSample {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const [, name = "", list = "", number = ""] = match;
  const labels: Record<string, string> = {};
  let rest = list;
  while (rest !== "") {
    const label = LABEL.exec(rest);
    if (label === null) throw new Error(`no label: ${rest}`);
    const [whole, key = "", value = ""] = label;
    if (Object.hasOwn(labels, key)) throw new Error(`the label ${key} repeats`);
    labels[key] = unescape(value);
    rest = rest.slice(whole.length);
  }
  if (!NUMBER.test(number)) throw new Error(`no number: ${number}`);
  return { name, labels, value: Number(number.replace("Inf", "Infinity")) };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([\\"n])/g, (_, character: string) =>
    character === "n" ? "\n" : character,
  );
}
