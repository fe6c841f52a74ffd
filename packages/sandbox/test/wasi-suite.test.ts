/** Our own WASI suite over files in memory, under whatever Node runs the tests; see npm run wasi. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parsePluginId } from "@glovebox/core/ids";
import { createSandbox, type Sandbox } from "@glovebox/sandbox";
import { afterAll, beforeAll, expect, it } from "vitest";

import { buildSuite } from "./wasi/build-suite.ts";
import { copyToMemory } from "./wasi/memory-tree.ts";
import { problemOf } from "./wasi/run-test-case.ts";
import { readTestCases, type WasiTestCase } from "./wasi/test-case.ts";

let sandbox: Sandbox;
let tests: readonly WasiTestCase[] = [];
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "glovebox-wasi-suite-"));
  await buildSuite(folder);
  tests = await readTestCases(folder);
  folders.push(folder);
  sandbox = await createSandbox({ poolSize: 1 });
}, 120_000);
const folders: string[] = [];
afterAll(async () => {
  await sandbox.close();
  for (const folder of folders) await rm(folder, { recursive: true });
});

it("passes", async () => {
  const pluginId = parsePluginId("wasi-test");
  if (!pluginId.allowed) throw new Error(pluginId.reason);
  const problems: Record<string, string> = {};
  for (const test of tests) {
    await using granted = await copyToMemory(test.folders);
    const problem = await problemOf(sandbox, pluginId.value, test, granted.files);
    if (problem !== undefined) problems[test.name] = problem;
  }
  expect(problems).toEqual({});
  expect(tests.length).toBeGreaterThan(9);
}, 120_000);
