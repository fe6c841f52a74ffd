/** @module Instrumented over original, in processes of their own, and how much larger it is. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { median } from "../../measure.ts";
import { metered } from "./metered.ts";
import { readPackage } from "./real/case.ts";
import { REAL_CASES } from "./real/index.ts";

const run = promisify(execFile);
/** Processes for each set of kernels: some rows have two speeds, by how V8 happens to lay out code. */
const PROCESSES = 3;

/** What `script` prints. */
async function inProcess<T>(
  script: string,
  argument: string,
  flags: readonly string[] = [],
): Promise<T> {
  const file = new URL(`${script}.js`, import.meta.url).pathname;
  const { stdout } = await run(process.execPath, ["--no-warnings", ...flags, file, argument], {
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(stdout.slice(stdout.lastIndexOf("\n{") + 1)) as T;
}

/** The geometric mean. */
export function geomean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Rows of a set of kernels: of each the best of several processes, or the median. */
async function kernelRows(
  set: "kernels" | "numeric",
  choose: (values: readonly number[]) => number,
): Promise<ReadonlyMap<string, number>> {
  const rows = new Map<string, number[]>();
  for (let left = PROCESSES; left > 0; left--) {
    const ratios = await inProcess<Record<string, number>>("kernel-contest", set);
    for (const [name, ratio] of Object.entries(ratios)) {
      rows.set(name, [...(rows.get(name) ?? []), ratio]);
    }
  }
  return new Map(Array.from(rows, ([name, values]) => [name, choose(values)]));
}

async function realRows(flags: readonly string[] = []): Promise<ReadonlyMap<string, number>> {
  const rows = new Map<string, number>();
  for (const { name } of REAL_CASES) {
    rows.set(name, (await inProcess<{ ratio: number }>("real-contest", name, flags)).ratio);
  }
  return rows;
}

/** Figures, and the rows behind them as notes. */
export async function overhead(): Promise<{
  readonly ratios: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}> {
  const real = await realRows();
  const liftoff = await realRows(["--liftoff-only"]);
  const kernels = await kernelRows("kernels", (values) => Math.min(...values));
  const numeric = await kernelRows("numeric", median);
  const size = new Map(
    REAL_CASES.map(({ name, file }) => {
      const original = readPackage(file);
      return [name, metered(original).bytes.length / original.length] as const;
    }),
  );
  const ratios: Record<string, number> = {};
  for (const [name, rows] of Object.entries({ real, numeric, kernels })) {
    ratios[`fuel_${name}_geomean`] = geomean([...rows.values()]);
    ratios[`fuel_${name}_worst`] = Math.max(...rows.values());
  }
  ratios["fuel_liftoff_geomean"] = geomean([...liftoff.values()]);
  ratios["size_worst"] = Math.max(...size.values());
  const note = (title: string, rows: ReadonlyMap<string, number>): string =>
    `${title}: ${Array.from(rows, ([name, ratio]) => `${name} ${ratio.toFixed(2)}`).join(", ")}`;
  return {
    ratios,
    notes: [
      note("real modules", real),
      note("real modules, Liftoff only", liftoff),
      note("kernels, best of 3 processes", kernels),
      note("loop nests, median of 3 processes", numeric),
      note("size", size),
    ],
  };
}
