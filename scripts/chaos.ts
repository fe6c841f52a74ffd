/**
 * @module `npm run -s chaos -- auditor --kills N --power-cuts N [--seed N]`: kills writers of a log and
 * cuts the power of a simulated disk, and counts what acknowledged entries were lost. Ends with
 * `acked lost: N, invented: N, double-signed: N`, and exits 1 unless all are 0.
 */
import { parseArgs } from "node:util";

import { killWriters } from "../packages/auditor/test/chaos/kills.ts";
import { type ChaosCount, cutPower } from "../packages/auditor/test/chaos/power-cuts.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "100" },
    "power-cuts": { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
  },
});
const [kills, cuts, seed] = [values.kills, values["power-cuts"], values.seed].map(Number);
if (positionals.join() !== "auditor" || [kills, cuts, seed].some((n) => !Number.isSafeInteger(n))) {
  console.error("usage: chaos auditor [--kills N] [--power-cuts N] [--seed N]");
  process.exit(2);
}

const counts: ChaosCount[] = [];
for (const [what, run] of [
  ["power cuts", () => cutPower({ cuts: cuts ?? 0, seed: seed ?? 1 })],
  ["kills", () => killWriters(kills ?? 0, seed ?? 1)],
] as const) {
  const count = await run();
  counts.push(count);
  console.log(
    `${what}: ${count.cuts}, unusable: ${count.unusable}${count.first === "" ? "" : `, first: ${count.first}`}`,
  );
}
const sum = (key: "lost" | "invented" | "doubleSigned" | "unusable"): number =>
  counts.reduce((total, count) => total + count[key], 0);
// A log that cannot be opened has lost everything.
const lost = sum("lost") + sum("unusable");
console.log(
  `acked lost: ${lost}, invented: ${sum("invented")}, double-signed: ${sum("doubleSigned")}`,
);
process.exitCode = lost + sum("invented") + sum("doubleSigned") === 0 ? 0 : 1;
