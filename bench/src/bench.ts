/**
 * @module `npm run -s bench -- NAME [--json]`: runs one bench and prints its figures. Exits 1 when a
 * bench fails to run, 2 on wrong usage; a missed target is a figure, not a failure.
 */
import { auditor } from "./auditor/auditor.ts";
import { auditEvents } from "./auditor/events.ts";
import { broker } from "./broker/broker.ts";
import { calls } from "./calls/calls.ts";
import { type BenchReport, toJson, toText } from "./report.ts";
import { sandbox } from "./sandbox/sandbox.ts";
import { wasm } from "./wasm/wasm.ts";

const BENCHES: Readonly<Record<string, () => Promise<BenchReport>>> = {
  auditor,
  "audit-events": auditEvents,
  broker,
  calls,
  sandbox,
  wasm,
};

const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const run = Object.hasOwn(BENCHES, names[0] ?? "") ? BENCHES[names[0] ?? ""] : undefined;
if (run === undefined || names.length !== 1) {
  process.stderr.write(
    `usage: npm run -s bench -- NAME [--json], NAME one of ${Object.keys(BENCHES).join(", ")}\n`,
  );
  process.exitCode = 2;
} else {
  const report = await run();
  process.stdout.write(`${process.argv.includes("--json") ? toJson(report) : toText(report)}\n`);
}
