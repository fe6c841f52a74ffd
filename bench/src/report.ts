/** @module What a bench answers (contract.md 6), and how it is judged. */
import { cpus, totalmem } from "node:os";

/** A bench's figures with what they are compared to. */
export interface BenchReport {
  readonly bench: string;
  /** Ratios; absolute figures have their unit in the key. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly targets: Readonly<Record<string, readonly ["le" | "ge", number]>>;
  readonly notes: readonly string[];
}

/** The report as JSON, figures rounded to four digits. */
export function toJson(report: BenchReport): string {
  const ratios = Object.fromEntries(
    Object.entries(report.ratios).map(([key, value]) => [key, Number(value.toPrecision(4))]),
  );
  const environment = {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
  return JSON.stringify({
    bench: report.bench,
    ratios,
    targets: report.targets,
    environment,
    notes: report.notes,
  });
}

/** The report for people: a line per figure, with its target and whether it is met. */
export function toText(report: BenchReport): string {
  const lines = Object.entries(report.ratios).map(([key, value]) => {
    const target = report.targets[key];
    const figure = `${key.padEnd(32)} ${value.toPrecision(4)}`;
    if (target === undefined) return figure;
    const [relation, bound] = target;
    const met = relation === "le" ? value <= bound : value >= bound;
    return `${figure}  (${relation === "le" ? "≤" : "≥"} ${bound}: ${met ? "met" : "missed"})`;
  });
  return [`bench ${report.bench}`, ...lines, ...report.notes.map((note) => `note: ${note}`)].join(
    "\n",
  );
}
