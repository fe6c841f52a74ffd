import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { buildSuite } from "../../packages/sandbox/test/wasi/build-suite.ts";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "glovebox-wasi-suite-"));
let names: readonly string[] = [];
beforeAll(async () => {
  names = await buildSuite(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["on disk, through the broker", []],
  ["in memory", ["--memory"]],
])(
  "every program of our own suite passes with its files %s",
  (_where, options) => {
    const { code, stdout } = run([folder, ...options]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `wasi: ${names.length} passed, 0 failed, 0 skipped\n`,
    });
    expect(names.length).toBeGreaterThan(0);
  },
  120_000,
);

test("says what failed and what was skipped, and exits 1", async () => {
  const other = mkdtempSync(join(tmpdir(), "glovebox-wasi-suite-"));
  try {
    await buildSuite(other);
    for (const name of names) {
      if (name !== "exit" && name !== "sockets") rmSync(join(other, `${name}.wasm`));
    }
    writeFileSync(join(other, "exit.json"), JSON.stringify({ exit_code: 8 }));
    writeFileSync(join(other, "sockets.json"), JSON.stringify({ operations: [] }));
    expect(run([other])).toEqual({
      code: 1,
      stdout:
        "failed exit: exit code 7, expected 8\n" +
        "skipped sockets: sockets.json has a key that is not known: operations\n" +
        "wasi: 0 passed, 1 failed, 1 skipped\n",
      stderr: "",
    });
    const { code, stdout } = run([other, "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      passed: 0,
      failed: 1,
      skipped: 1,
      programs: [
        { name: "exit", verdict: "failed" },
        { name: "sockets", verdict: "skipped" },
      ],
    });
  } finally {
    rmSync(other, { recursive: true });
  }
}, 120_000);

test.each([[[]], [["/no/such/directory"]], [[folder, "more"]], [[folder, "--no-such-option"]]])(
  "exits 2 and says how it is used when the arguments are %j",
  (args) => {
    const { code, stdout, stderr } = run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^usage: npm run -s wasi -- DIR/);
  },
);

/** The script as npm starts it. */
function run(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@glovebox/source", "--no-warnings", "scripts/wasi.ts", ...args],
    { cwd: ROOT, encoding: "utf8", env: { ...process.env, INIT_CWD: folder } },
  );
  return { code: status, stdout, stderr };
}
