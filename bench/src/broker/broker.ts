/**
 * @module `bench broker`: what the capability broker costs beside what people use without one. Each
 * part measures on its own; a part is added to the list.
 */
import type { BenchReport } from "../report.ts";
import { decisions } from "./decisions.ts";
import { files } from "./files.ts";
import { requests } from "./requests.ts";

/** A part's figures. */
export type BrokerPart = Pick<BenchReport, "ratios" | "targets" | "notes">;

const PARTS: readonly (() => Promise<BrokerPart>)[] = [decisions, requests, files];

/** Runs all parts, one after the other. */
export async function broker(): Promise<BenchReport> {
  const parts: BrokerPart[] = [];
  for (const part of PARTS) parts.push(await part());
  return {
    bench: "broker",
    ratios: Object.assign({}, ...parts.map(({ ratios }) => ratios)) as BenchReport["ratios"],
    targets: Object.assign({}, ...parts.map(({ targets }) => targets)) as BenchReport["targets"],
    notes: parts.flatMap(({ notes }) => notes),
  };
}
