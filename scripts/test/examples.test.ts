/** @module Every example runs as its reader runs it, against what is built, and says what it should. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { ROOT } from "../published.ts";

const run = promisify(execFile);
const FOLDER = join(ROOT, "examples");
const MAX_LINES = 60;

const SAYS: Readonly<Record<string, readonly RegExp[]>> = {
  "validate-module": [
    /^good: allowed, SHA-256 [0-9a-f]{12}…$/,
    /^wrong in its code: SANDBOX_MODULE_INVALID: /,
    /^asking for env\.system: WASM_IMPORT_NOT_ALLOWED: /,
    /^cut off: WASM_SECTION: /,
  ],
  "run-plugin": [
    /^rows: 2, loosened: 0$/,
    /^after quarantine: RUNTIME_QUARANTINED$/,
    /^audit log: whole$/,
  ],
  "limit-calls": [
    /^call 1: done$/,
    /^call 2: done$/,
    /^call 3: LIMITER_MEMORY$/,
    /^call 4: LIMITER_WALL_DEADLINE$/,
    /^call 5: LIMITER_RATE, again in \d+ ms$/,
  ],
};

const examples = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test("every example has its expectation here and its line in the table", () => {
  expect(Object.keys(SAYS).toSorted()).toEqual(examples.toSorted());
  const table = readFileSync(join(FOLDER, "README.md"), "utf8");
  for (const name of examples) expect(table).toContain(`[${name}](${name}/main.ts)`);
});

test.each(examples)("%s runs and says what it should", async (name) => {
  const program = join(FOLDER, name, "main.ts");
  expect(readFileSync(program, "utf8").split("\n").length).toBeLessThan(MAX_LINES);
  // Without the condition that tests hand to their children: a reader gets what is built.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { stdout } = await run(process.execPath, [program], { cwd: ROOT, env });
  const lines = stdout.trimEnd().split("\n");
  const expected = SAYS[name] ?? [];
  expect(lines).toHaveLength(expected.length);
  for (const [at, pattern] of expected.entries()) expect(lines[at]).toMatch(pattern);
});
