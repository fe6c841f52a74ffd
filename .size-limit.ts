/**
 * @module The size of each door as a budget: what a user of it loads from its package (brotli,
 * dependencies not counted), that is its entry and the chunks that this imports.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { publishedPackages, ROOT } from "./scripts/published.ts";

/** Measured, with a third of head-room. A new door gets its line here. */
const LIMITS: Readonly<Record<string, string>> = {
  auditor: "10 kB",
  "capability-broker": "10 kB",
  "capability-broker.network": "10 kB",
  "capability-broker.filesystem": "10 kB",
  "core.decision": "1 kB",
  "core.errors": "2 kB",
  "core.ids": "1 kB",
  "core.json": "5 kB",
  "core.encode": "2 kB",
  "core.flow": "3 kB",
  "core.clock": "1 kB",
  "core.ports": "1 kB",
  limiter: "8 kB",
  linux: "6 kB",
  "manifest-validator": "10 kB",
  monitor: "6 kB",
  "monitor.metrics": "5 kB",
  runtime: "16 kB",
  sandbox: "24 kB",
  signer: "8 kB",
  "wasm-validator": "8 kB",
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
