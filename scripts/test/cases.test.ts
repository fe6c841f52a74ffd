import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "glovebox-cases-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("prints each miss and each skip with its reason, then the counts, and exits 1", () => {
  writeCases("network.json", [
    { id: "right", kind: "pattern", pattern: "*.example.com", expected: "accept" },
    { id: "wrong", kind: "pattern", pattern: "*.example.com", expected: "reject" },
    { id: "ssrf-138", kind: "request", url: "https://K.example.com/", expected: "deny" },
  ]);
  expect(run(["network", "network.json"])).toEqual({
    code: 1,
    stdout:
      "FAIL wrong: expected reject, got accept\n" +
      "SKIP ssrf-138: its K is the ASCII letter, not KELVIN SIGN: network/decide.test.ts has the sign\n" +
      "cases: 1 passed, 1 failed, 1 skipped\n",
    stderr: "",
  });
});

test("exits 0 when no case failed", () => {
  writeCases("network.json", [
    { id: "right", kind: "pattern", pattern: "*.example.com", expected: "accept" },
    { id: "left", kind: "pattern", pattern: "*.com", expected: "reject" },
  ]);
  const { code, stdout } = run(["network", "network.json"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "cases: 2 passed, 0 failed, 0 skipped\n" });
});

test.each([[[]], [["constructor"]], [["network", "a", "b"]], [["network", "--no-such-option"]]])(
  "exits 2 and says how it is used when the arguments are %j",
  (args) => {
    const { code, stdout, stderr } = run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^usage: .+ network, filesystem, sandbox\n$/);
  },
);

test("exits 2 and names the file when it is missing or has another form", () => {
  writeFileSync(join(folder, "malformed.json"), "{");
  for (const [name, said] of [
    ["missing.json", /^ENOENT: .+missing\.json'\n$/],
    ["malformed.json", /^TESTKIT_CASE_FILE: .+malformed\.json: .+\n$/],
  ] as const) {
    const { code, stdout, stderr } = run(["network", name]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(said);
  }
});

function writeCases(name: string, cases: readonly Readonly<Record<string, string>>[]): void {
  writeFileSync(join(folder, name), JSON.stringify({ meta: {}, policies: {}, fixture: [], cases }));
}

/** The script as npm starts it, by a user who stands in the temporary folder. */
function run(args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@glovebox/source", "--no-warnings", "scripts/cases.ts", ...args],
    { cwd: ROOT, env: { ...process.env, INIT_CWD: folder }, encoding: "utf8" },
  );
  return { code: status, stdout, stderr };
}
