/**
 * @module Label sets of one metric, each with a number that says where its values lie. At most so
 * many are held; whatever comes beyond goes to one named set (threats: key-flood; a cardinality
 * bomb costs the scraper more than it costs us).
 */
import { MonitorError } from "../errors.ts";
import { MAX_LABEL_VALUE_CHARACTERS } from "../limits.ts";

/** The value of every label of the series that takes what does not fit. */
export const OVERFLOW_LABEL = "other";

/** One label set. */
export interface Series {
  readonly values: readonly string[];
  readonly slot: number;
}

/** Label sets by value. */
export class SeriesTable {
  readonly #metric: string;
  readonly #labels: readonly string[];
  readonly #maxSeries: number;
  readonly #onOverflow: () => void;
  readonly #series = new Map<string, Series>();
  readonly #freeSlots: number[] = [];
  readonly #overflowValues: readonly string[];
  #nextSlot = 0;

  constructor(
    metric: string,
    labels: readonly string[],
    maxSeries: number,
    onOverflow: () => void,
  ) {
    this.#metric = metric;
    this.#labels = labels;
    this.#maxSeries = maxSeries;
    this.#onOverflow = onOverflow;
    this.#overflowValues = labels.map(() => OVERFLOW_LABEL);
  }

  /** Label sets in the order of their making. */
  list(): Iterable<Series> {
    return this.#series.values();
  }

  /** Whether there is such a label set; makes none. */
  find(values: readonly string[]): number | undefined {
    return this.#series.get(keyOf(values))?.slot;
  }

  /**
   * Where a label set's values lie; that of the overflow set when this one is new and does not fit.
   *
   * @throws {@link MonitorError} (`MONITOR_LABELS`)
   */
  slotOf(values: readonly string[]): number {
    if (values.length !== this.#labels.length) {
      throw new MonitorError("MONITOR_LABELS", {
        message: `${this.#metric} has ${this.#labels.length} labels; received ${values.length} values`,
      });
    }
    const found = this.#series.get(keyOf(values));
    if (found !== undefined) return found.slot;
    if (this.#series.size < this.#maxSeries && values.every(fits)) return this.#add(values);
    this.#onOverflow();
    return this.#series.get(keyOf(this.#overflowValues))?.slot ?? this.#add(this.#overflowValues);
  }

  /** Drops the label sets that have this value for this label; answers their slots. */
  remove(label: string, value: string): readonly number[] {
    const at = this.#labels.indexOf(label);
    if (at < 0) return [];
    const removed = [...this.#series].filter(([, { values }]) => values[at] === value);
    for (const [key, { slot }] of removed) {
      this.#series.delete(key);
      this.#freeSlots.push(slot);
    }
    return removed.map(([, { slot }]) => slot);
  }

  #add(values: readonly string[]): number {
    const slot = this.#freeSlots.pop() ?? this.#nextSlot++;
    this.#series.set(keyOf(values), { values: [...values], slot });
    return slot;
  }
}

/** With lengths in front, because values may hold whatever one would separate them with. */
function keyOf(values: readonly string[]): string {
  if (values.length === 1) return values[0] ?? "";
  let key = "";
  for (const value of values) key += `${value.length}:${value}`;
  return key;
}

function fits(value: string): boolean {
  return value.length <= MAX_LABEL_VALUE_CHARACTERS;
}
