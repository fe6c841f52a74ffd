import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { expect, test } from "vitest";

/** The launcher as npm starts it; what it launches are lines of JavaScript. */

const LAUNCHER = join(import.meta.dirname, "../launch.mjs");

test("runs a command under the Node of the lockfile and passes on its exit code", async () => {
  const { code, stdout } = await launch(
    "process.stdout.write(process.execPath); process.exitCode = 5",
  );
  expect(code).toBe(5);
  expect(stdout).toContain("node_modules/node-");
});

test("puts the tools of the repository on PATH", async () => {
  const { stdout } = await launch("process.stdout.write(process.env.PATH)");
  expect(stdout).toMatch(/^[^:]*node_modules\/node-[^:]*\/bin:[^:]*node_modules\/\.bin:/);
});

test("forwards SIGTERM and waits for the command's own end", async () => {
  const { code, stdout } = await launch(
    `process.on("SIGTERM", () => { process.stdout.write(" bye"); process.exit(7); });
     setInterval(() => {}, 1000); process.stdout.write("up");`,
    "SIGTERM",
  );
  expect({ code, stdout }).toEqual({ code: 7, stdout: "up bye" });
});

test("reports a command that a signal ended as a shell does", async () => {
  const { code } = await launch(
    `setInterval(() => {}, 1000); process.stdout.write("up");`,
    "SIGTERM",
  );
  expect(code).toBe(143);
});

test("says in one line what to do when a tool is missing", async () => {
  const { code, stderr } = await run(["--", "no-such-tool"]);
  expect(code).toBe(127);
  expect(stderr).toBe("launch: cannot start no-such-tool (ENOENT); run `npm ci` again\n");
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Launches JavaScript; sends the signal once it has printed something. */
function launch(code: string, signal?: NodeJS.Signals): Promise<Ended> {
  return run(["--", "node", "-e", code], signal);
}

async function run(args: readonly string[], signal?: NodeJS.Signals): Promise<Ended> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  if (signal !== undefined) child.stdout.once("data", () => child.kill(signal));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}
