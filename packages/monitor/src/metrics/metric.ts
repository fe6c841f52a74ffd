/**
 * @module Counters, gauges and histograms over typed arrays: an update finds its slot and adds a
 * number; text is made only when somebody asks. A value that makes no sense is dropped and counted,
 * because measuring must not break what it measures.
 */
import { SeriesTable } from "./series-table.ts";
import { type LabelPair, formatNumber, headerLines, sampleLine } from "./text-format.ts";

/** Why an update did not go where it was meant to. */
export type LossReason = "series" | "value";

/** What every metric is made from. */
export interface MetricShape {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly maxSeries: number;
  readonly onLoss: (reason: LossReason) => void;
}

const INITIAL_SLOTS = 8;

/** Values of a fixed width for each label set. */
abstract class Metric {
  readonly #shape: MetricShape;
  readonly #width: number;
  protected readonly table: SeriesTable;
  protected values: Float64Array;

  constructor(shape: MetricShape, width: number) {
    this.#shape = shape;
    this.#width = width;
    this.values = new Float64Array(INITIAL_SLOTS * width);
    this.table = new SeriesTable(shape.name, shape.labels, shape.maxSeries, () =>
      shape.onLoss("series"),
    );
    // Without labels there is one series, and it exists from the start.
    if (shape.labels.length === 0) this.table.slotOf([]);
  }

  protected abstract readonly type: string;
  protected abstract samples(labels: readonly LabelPair[], at: number): string;

  /** The metric as text, all its lines in one group. */
  text(): string {
    const { name, help, labels } = this.#shape;
    let text = headerLines(name, this.type, help);
    for (const { values, slot } of this.table.list()) {
      const pairs = labels.map((label, i): LabelPair => [label, values[i] ?? ""]);
      text += this.samples(pairs, slot * this.#width);
    }
    return text;
  }

  /** Drops all label sets with this value for this label; answers how many there were. */
  remove(label: string, value: string): number {
    const slots = this.table.remove(label, value);
    for (const slot of slots) this.values.fill(0, slot * this.#width, (slot + 1) * this.#width);
    return slots.length;
  }

  /** Where a label set's values begin; makes room for them. */
  protected open(labels: readonly string[]): number {
    const at = this.table.slotOf(labels) * this.#width;
    if (at >= this.values.length) {
      const larger = new Float64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    return at;
  }

  /** The value at an offset of a label set; 0 when there is no such set. */
  protected read(labels: readonly string[], offset: number): number {
    const slot = this.table.find(labels);
    return slot === undefined ? 0 : (this.values[slot * this.#width + offset] ?? 0);
  }

  protected add(at: number, amount: number): void {
    this.values[at] = (this.values[at] ?? 0) + amount;
  }

  protected get name(): string {
    return this.#shape.name;
  }

  protected lose(): void {
    this.#shape.onLoss("value");
  }
}

/** A number that only grows. */
export class CounterMetric extends Metric {
  protected readonly type = "counter";

  constructor(shape: MetricShape) {
    super(shape, 1);
  }

  increment(labels: readonly string[], amount = 1): void {
    // A counter that falls or turns NaN reads as a restart and poisons every rate.
    if (amount >= 0 && amount !== Infinity) this.add(this.open(labels), amount);
    else this.lose();
  }

  value(labels: readonly string[]): number {
    return this.read(labels, 0);
  }

  protected samples(labels: readonly LabelPair[], at: number): string {
    return sampleLine(this.name, labels, this.values[at] ?? 0);
  }
}

/** A number that goes up and down. */
export class GaugeMetric extends Metric {
  protected readonly type = "gauge";

  constructor(shape: MetricShape) {
    super(shape, 1);
  }

  set(labels: readonly string[], value: number): void {
    this.values[this.open(labels)] = value;
  }

  value(labels: readonly string[]): number {
    return this.read(labels, 0);
  }

  protected samples(labels: readonly LabelPair[], at: number): string {
    return sampleLine(this.name, labels, this.values[at] ?? 0);
  }
}

/** How often values fell between bounds. Layout: one count for each bucket, the last for the rest, then the sum. */
export class HistogramMetric extends Metric {
  protected readonly type = "histogram";
  readonly #bounds: Float64Array;

  constructor(shape: MetricShape, bounds: readonly number[]) {
    super(shape, bounds.length + 2);
    this.#bounds = Float64Array.from(bounds);
  }

  observe(labels: readonly string[], value: number): void {
    if (!Number.isFinite(value)) return this.lose();
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? Infinity)) bucket += 1;
    const at = this.open(labels);
    this.add(at + bucket, 1);
    this.add(at + bounds.length + 1, value);
  }

  count(labels: readonly string[]): number {
    let count = 0;
    for (let bucket = 0; bucket <= this.#bounds.length; bucket += 1) {
      count += this.read(labels, bucket);
    }
    return count;
  }

  sum(labels: readonly string[]): number {
    return this.read(labels, this.#bounds.length + 1);
  }

  protected samples(labels: readonly LabelPair[], at: number): string {
    let text = "";
    let cumulative = 0;
    for (let bucket = 0; bucket <= this.#bounds.length; bucket += 1) {
      cumulative += this.values[at + bucket] ?? 0;
      const le = formatNumber(this.#bounds[bucket] ?? Infinity);
      text += sampleLine(`${this.name}_bucket`, [...labels, ["le", le]], cumulative);
    }
    text += sampleLine(`${this.name}_sum`, labels, this.values[at + this.#bounds.length + 1] ?? 0);
    return text + sampleLine(`${this.name}_count`, labels, cumulative);
  }
}
