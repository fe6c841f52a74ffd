/**
 * @module From an offset in the metered module back to the original: for stack traces and dumps. A
 * run of copied bytes is three numbers; what lies between two runs was added.
 */
import { Column } from "./graph/column.ts";

/** What stands at an offset of the metered module. */
export type MappedOffset =
  /** A copy of what stands at `offset` in the original. */
  | { readonly kind: "original"; readonly function: number; readonly offset: number }
  /** Written by metering, before what stands at `offset` in the original. */
  | { readonly kind: "added"; readonly function: number; readonly offset: number }
  /** In a function that the original does not have, or outside function bodies. */
  | { readonly kind: "none" };

/** Leads from the metered module back to the original. */
export interface OffsetMap {
  /** `offset` counts bytes from the start of the metered module, as in V8's stack traces. */
  lookUp(offset: number): MappedOffset;
}

/** Collects runs while bodies are written one behind the other. */
export class OffsetMapBuilder {
  readonly #runs = new Column(4_096);
  readonly #bodies: number[] = [];

  /** The next function's body stands at `target` in the code; `runs` are three numbers each. */
  addBody(target: number, runs: readonly number[]): void {
    this.#bodies.push(target, this.#runs.length / 3);
    for (let at = 0; at < runs.length; at += 3) {
      this.#runs.push(target + (runs[at] as number));
      this.#runs.push(runs[at + 1] as number);
      this.#runs.push(runs[at + 2] as number);
    }
  }

  /** The map, when the code turns out to stand at `base`; `imported` functions come first. */
  finish(base: number, imported: number, end: number): OffsetMap {
    const runs = this.#runs.values.slice(0, this.#runs.length);
    const bodies = Float64Array.from(this.#bodies);
    return Object.freeze({
      lookUp: (offset: number) => lookUp(runs, bodies, offset - base, imported, end),
    });
  }
}

function lookUp(
  runs: Int32Array,
  bodies: Float64Array,
  at: number,
  imported: number,
  end: number,
): MappedOffset {
  const body = lastAtMost(bodies, 2, at);
  if (body < 0 || at >= end) return { kind: "none" };
  const first = bodies[2 * body + 1] as number;
  const last = (bodies[2 * body + 3] ?? runs.length / 3) - 1;
  const index = Math.max(first - 1, Math.min(last, lastAtMost(runs, 3, at)));
  const [target = 0, source = 0, length = 0] =
    index < first ? [] : runs.subarray(3 * index, 3 * index + 3);
  const functionIndex = imported + body;
  if (index >= first && at < target + length) {
    return { kind: "original", function: functionIndex, offset: source + at - target };
  }
  const next = index < last ? (runs[3 * index + 4] as number) : source + length;
  return { kind: "added", function: functionIndex, offset: next };
}

/** Index of the last row whose first number is at most `value`; -1 when there is none. */
function lastAtMost(rows: Float64Array | Int32Array, width: number, value: number): number {
  let low = 0;
  let high = rows.length / width;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[width * middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
