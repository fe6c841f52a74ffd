/**
 * WasmGC objects live outside linear memory, and constant expressions make them before any function
 * runs: a module of 1.2 KB took a gigabyte in 1.7 s elsewhere (CWE-789, CWE-409).
 */
import { createSandbox } from "@glovebox/sandbox";
import { callScope } from "@glovebox/testkit";
import { expect, it } from "vitest";

import { flatPlugin } from "../support/fixtures.ts";
import { arraysInGlobals } from "../support/gc-modules.ts";
import { loadPlugin, textOf } from "../support/open-plugin.ts";

const MEGABYTE = 2 ** 20 / 8;

it.each([
  ["100 arrays of a megabyte", arraysInGlobals(100, MEGABYTE)],
  ["100 arrays of 100 megabytes", arraysInGlobals(100, 100 * MEGABYTE)],
  ["200,000 arrays of a kilobyte", arraysInGlobals(200_000, 128)],
])("stops %s in constant expressions: one coded error, others go on", async (_name, bomb) => {
  await using sandbox = await createSandbox({ poolSize: 0 });
  const other = await loadPlugin(sandbox, flatPlugin());
  const before = process.memoryUsage.rss();
  await expect(loadPlugin(sandbox, bomb)).rejects.toMatchObject({ code: "SANDBOX_MEMORY_LIMIT" });
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
  const echo = await other.call(callScope(), "echo", new TextEncoder().encode("unharmed"));
  expect(textOf(echo)).toBe("unharmed");
  await expect.poll(() => sandbox.status().runners.live).toBe(1);
});
