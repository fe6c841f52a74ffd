/**
 * @module The size of each door as a budget: what a user of it loads from its package (brotli,
 * dependencies not counted), that is its entry and the chunks that this imports.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { publishedPackages, ROOT } from "./scripts/published.ts";

/** Measured, with a third of head-room. A new door gets its line here. */
const LIMITS: Readonly<Record<string, string>> = {
  auditor: "57 kB",
  "auditor.log": "26 kB",
  "auditor.witness": "20 kB",
  "auditor.pino-transport": "52 kB",
  "auditor.sinks": "10 kB",
  "capability-broker": "60 kB",
  "capability-broker.network": "14 kB",
  "capability-broker.filesystem": "12 kB",
  "core.decision": "4 kB",
  "core.errors": "3 kB",
  "core.ids": "4 kB",
  "core.json": "8 kB",
  "core.encode": "2 kB",
  "core.flow": "6 kB",
  "core.clock": "4 kB",
  "core.ports": "100 B",
  limiter: "9 kB",
  linux: "4 kB",
  "linux.files": "5 kB",
  "linux.process": "6 kB",
  "linux.seccomp": "3 kB",
  "manifest-validator": "17 kB",
  monitor: "12 kB",
  "monitor.metrics": "5 kB",
  runtime: "29 kB",
  sandbox: "35 kB",
  signer: "8 kB",
  "tlog.errors": "2 kB",
  "tlog.tree": "8 kB",
  "tlog.tiles": "4 kB",
  "tlog.note": "7 kB",
  "tlog.checkpoint": "11 kB",
  "tlog.policy": "11 kB",
  "wasm-binary": "20 kB",
  "wasm-binary.operators": "15 kB",
  "wasm-binary.write": "12 kB",
  "wasm-metering": "26 kB",
  "wasm-validator": "15 kB",
};

export default publishedPackages(ROOT).flatMap(({ folder, doors }) =>
  doors.map(({ name, path }) => ({
    name,
    path: filesOf(join(folder, "dist", `${path}.js`)).map((file) => relative(ROOT, file)),
    limit: LIMITS[name] ?? "0 B",
  })),
);

/** The entry and every file of the same package that it loads. */
function filesOf(entry: string): readonly string[] {
  const files = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    if (!existsSync(file)) continue;
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(
      /(?:from|import) ?\(?"(\.[^"]+)"/g,
    )) {
      queue.push(join(dirname(file), specifier));
    }
  }
  return [...files];
}
