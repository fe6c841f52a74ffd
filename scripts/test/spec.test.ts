/**
 * @module The scripts of test/spec in all four modes, and what the runner makes of scripts that fail,
 * crash or hang. The suite of the specification itself is not in the repository.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { MODES } from "../spec/modes.ts";
import { runScripts, type ScriptReport } from "../spec/run-scripts.ts";

const ROOT = join(import.meta.dirname, "../..");
const TIMEOUT_MS = 240_000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "glovebox-spec-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Runs the command and answers its exit code and lines. */
async function spec(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const command = [
    "--conditions=@glovebox/source",
    "--no-warnings",
    join(ROOT, "scripts/spec.ts"),
    ...args,
  ];
  const { stdout, code } = await promisify(execFile)(process.execPath, command, {
    maxBuffer: 2 ** 26,
  }).then(
    ({ stdout: out }) => ({ stdout: out, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  return { code, lines: stdout.trimEnd().split("\n") };
}

describe("npm run spec", () => {
  it(
    "passes our own scripts in every mode, and says what it skips",
    { timeout: TIMEOUT_MS },
    async () => {
      const { code, lines } = await spec(join(ROOT, "test/spec"));
      expect(lines.filter((line) => line.startsWith("failed"))).toEqual([]);
      expect(lines.filter((line) => line.startsWith("skipped"))).toEqual([
        expect.stringMatching(
          /^skipped malformed\.wast:36: not assembled: .*constant out of range/,
        ),
      ]);
      const passed = /^reader: (\d+) passed/.exec(lines.at(-4) ?? "")?.[1];
      expect(Number(passed)).toBeGreaterThan(240);
      expect(lines.slice(-4)).toEqual(
        MODES.map((mode) => `${mode}: ${passed} passed, 0 failed, 1 skipped`),
      );
      expect(code).toBe(0);
    },
  );

  it(
    "skips what the plain engine fails, in folders below too, and prints JSON",
    { timeout: TIMEOUT_MS },
    async () => {
      await mkdir(join(directory, "proposals/new"), { recursive: true });
      const script = `(module (func (export "one") (result i32) (i32.const 1)))
      (assert_return (invoke "one") (i32.const 2))
      (assert_return (invoke "one") (i32.const 1))
      (assert_of_the_future)`;
      await writeFile(join(directory, "proposals/new/wrong.wast"), script);
      const { code, lines } = await spec(directory, "--json");
      const report = JSON.parse(lines.join("\n")) as Record<string, unknown>;
      expect(report).toMatchObject({
        instrumented: { passed: 2, failed: 0, skipped: 2 },
        scripts: [
          { file: "proposals/new/wrong.wast", commands: 4, skipped: [{ line: 2 }, { line: 4 }] },
        ],
      });
      expect(code).toBe(0);
    },
  );

  it("wants a directory with scripts", { timeout: TIMEOUT_MS }, async () => {
    expect((await spec(directory)).code).toBe(2);
    expect((await spec(join(directory, "absent"))).code).toBe(2);
  });
});

describe("a script whose process crashes or hangs", () => {
  it(
    "fails with all its commands, and the scripts behind it still run",
    { timeout: TIMEOUT_MS },
    async () => {
      const names = ["crash", "fine", "hang", "fine too"];
      const files = names.map((name) => join(directory, `${name}.wast`));
      for (const file of files) await writeFile(file, "(module) (module)");
      const reports: ScriptReport[] = [];
      const child = new URL("spec-child.ts", import.meta.url);
      await runScripts(
        files,
        { processes: 1, deadlineMs: 10_000, child },
        (report) => void reports.push(report),
      );
      expect(reports.map(({ file }) => file)).toEqual(files);
      expect(reports.map(({ modes }) => modes.instrumented.failed.length)).toEqual([2, 0, 2, 0]);
      expect(reports[0]?.modes.reader.failed[0]?.reason).toBe("the process ended with SIGKILL");
      expect(reports[2]?.modes.reader.failed[0]?.reason).toBe("no sign of life for 10000 ms");
    },
  );
});
