/** @module What the root README claims and a test can check: its example, its sizes, its packages. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import sizes from "../../.size-limit.ts";
import { ROOT } from "../published.ts";

const run = promisify(execFile);
const readme = readFileSync(join(ROOT, "README.md"), "utf8");

test("the example runs as it stands, in a folder that has the packages and the plugins", async () => {
  const [, code = ""] = /^```ts\n([\s\S]*?)^```/m.exec(readme) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "glovebox-readme-"));
  try {
    for (const name of ["node_modules", "plugins"])
      symlinkSync(join(ROOT, name), join(folder, name));
    const { NODE_OPTIONS: _, ...env } = process.env;
    const program = ["--input-type=module-typescript", "--eval", code];
    const { stdout, stderr } = await run(process.execPath, program, { cwd: folder, env });
    expect(stdout + stderr).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the table has each package once", () => {
  const rows = [...readme.matchAll(/^\| \[`([a-z-]+)`\]\((?:packages|apps)\/\1\)/gm)];
  const folders = ["packages", "apps"].flatMap((kind) => readdirSync(join(ROOT, kind)));
  expect(rows.map(([, name = ""]) => name).toSorted()).toEqual(folders.toSorted());
});

test.each(sizes.filter(({ name }) => !name.includes(".")))(
  "the table has the size budget of $name",
  ({ name, limit }) => {
    const row = readme.split("\n").find((line) => line.startsWith(`| [\`${name}\`](packages/`));
    expect(row).toContain(`| ${limit}`);
  },
);
