import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

/** `--build` in a checkout of its own, whose turbo is a few lines that the test writes. */

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "glovebox-launch-"));
  await mkdir(join(root, "scripts"));
  await mkdir(join(root, "node_modules/.bin"), { recursive: true });
  await mkdir(join(root, "node_modules/node-linux-test"));
  await symlink(dirname(process.execPath), join(root, "node_modules/node-linux-test/bin"));
  await cp(join(import.meta.dirname, "../launch.mjs"), join(root, "scripts/launch.mjs"));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

test("keeps a build that succeeds silent and gives standard output to the command", async () => {
  await turbo(`console.log("built"); console.error("noise");`);
  expect(await launch()).toEqual({ code: 0, stdout: "ran", stderr: "" });
});

test("shows all output of a failed build on standard error and runs nothing", async () => {
  await turbo(`console.log("broken"); console.error("here"); process.exitCode = 3;`);
  const { code, stdout, stderr } = await launch();
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toContain("broken\n");
  expect(stderr).toContain("here\n");
});

test("asks turbo for the named targets", async () => {
  await turbo(`process.stderr.write(process.argv.slice(2).join(" ")); process.exitCode = 1;`);
  const { stderr } = await launch(["--build", "@glovebox/host", "--build", "plugins"]);
  expect(stderr).toBe(
    "run build --output-logs=errors-only --filter=@glovebox/host --filter=./plugins/*",
  );
});

test("lets two builds of a checkout take turns", async () => {
  // Fails if another build holds the folder; 100 ms make an overlap certain without the lock.
  await turbo(`
    import { mkdirSync, rmdirSync } from "node:fs";
    mkdirSync("building");
    setTimeout(() => rmdirSync("building"), 100);
  `);
  const ended = await Promise.all([launch(), launch(), launch()]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
});

test("takes over the lock of a build that was killed, and leaves none behind", async () => {
  await turbo("");
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  await mkdir(join(root, "node_modules/.cache"));
  await writeFile(join(root, "node_modules/.cache/glovebox-build.lock"), String(pid));
  expect(await launch()).toMatchObject({ code: 0, stdout: "ran" });
  expect(await readdir(join(root, "node_modules/.cache"))).toEqual([]);
});

test("does not run the command when the build was interrupted, whatever turbo answers", async () => {
  await turbo(
    `process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000); process.kill(process.ppid, "SIGTERM");`,
  );
  expect(await launch()).toMatchObject({ code: 143, stdout: "" });
});

async function turbo(code: string): Promise<void> {
  const file = join(root, "node_modules/.bin/turbo");
  await writeFile(join(root, "node_modules/.bin/package.json"), `{"type":"module"}`);
  await writeFile(file, `#!/usr/bin/env node\n${code}`);
  await chmod(file, 0o755);
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function launch(targets: readonly string[] = ["--build", "all"]): Promise<Ended> {
  const command = ["--", "node", "-e", `process.stdout.write("ran")`];
  const child = spawn(
    process.execPath,
    [join(root, "scripts/launch.mjs"), ...targets, ...command],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}
