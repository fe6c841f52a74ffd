import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

/**
 * `turbo boundaries` on a copy of this repository's own turbo.json files and manifests, with source
 * files of one line: it passes as it is, and fails once an import that the house forbids is planted.
 */

const root = join(import.meta.dirname, "../..");
const COPIED = ["core", "limiter", "auditor", "runtime"];

let copy: string;

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), "glovebox-boundaries-"));
  for (const file of ["package.json", "turbo.json", "package-lock.json"])
    await cp(join(root, file), join(copy, file));
  for (const name of COPIED) {
    await mkdir(join(copy, "packages", name, "src"), { recursive: true });
    await cp(
      join(root, "packages", name, "turbo.json"),
      join(copy, "packages", name, "turbo.json"),
    );
    await writeManifest(
      name,
      name === "runtime" ? ["core", "limiter", "auditor"] : name === "core" ? [] : ["core"],
    );
    await writeSource(name, "export const answer = 42;\n");
  }
});

afterEach(async () => {
  await rm(copy, { recursive: true, force: true });
});

test("passes for the layers as they are", async () => {
  await writeSource("runtime", `export { answer } from "@glovebox/limiter";\n`);
  await writeSource("limiter", `export { answer } from "@glovebox/core";\n`);
  expect(await boundaries()).toMatchObject({ code: 0 });
});

test("fails when a module imports another module", async () => {
  await writeManifest("limiter", ["core", "auditor"]);
  await writeSource("limiter", `export { answer } from "@glovebox/auditor";\n`);
  const { code, output } = await boundaries();
  expect(code).toBe(1);
  expect(output).toContain(
    "`@glovebox/auditor` found with tag listed in denylist for `@glovebox/limiter`",
  );
});

test("fails when a module imports another one without declaring it", async () => {
  await writeSource("limiter", `export { answer } from "@glovebox/auditor";\n`);
  const { code, output } = await boundaries();
  expect(code).toBe(1);
  expect(output).toContain("cannot import package `@glovebox/auditor`");
});

test("fails when a base package imports a module", async () => {
  await writeManifest("core", ["limiter"]);
  await writeManifest("limiter", []);
  await writeSource("core", `export { answer } from "@glovebox/limiter";\n`);
  expect(await boundaries()).toMatchObject({ code: 1 });
});

test("fails when a module imports the runtime", async () => {
  await writeManifest("runtime", ["core"]);
  await writeManifest("limiter", ["runtime"]);
  await writeSource("limiter", `export { answer } from "@glovebox/runtime";\n`);
  expect(await boundaries()).toMatchObject({ code: 1 });
});

async function writeManifest(name: string, dependencies: readonly string[]): Promise<void> {
  const file = join(root, "packages", name, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  manifest["dependencies"] = Object.fromEntries(
    dependencies.map((each) => [`@glovebox/${each}`, "0.0.0"]),
  );
  manifest["devDependencies"] = {};
  await writeFile(join(copy, "packages", name, "package.json"), JSON.stringify(manifest));
}

async function writeSource(name: string, text: string): Promise<void> {
  await writeFile(join(copy, "packages", name, "src/index.ts"), text);
}

/** Runs turbo in the copy; its output is joined to one line, because it wraps. */
async function boundaries(): Promise<{ code: number; output: string }> {
  const turbo = join(root, "node_modules/.bin/turbo");
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };
  return new Promise((resolve, reject) => {
    execFile(turbo, ["boundaries"], { cwd: copy, env }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") return reject(error);
      const output = `${stdout}${stderr}`.replaceAll(/\s+\|?\s*/g, " ");
      return resolve({ code: typeof error?.code === "number" ? error.code : 0, output });
    });
  });
}
