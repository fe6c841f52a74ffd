/**
 * @module The invariants of ARCHITECTURE.md as a list that cannot lose an entry, and the one that no
 * package can show alone: a host in which WebAssembly does not work still loads and calls a plugin,
 * because it never uses it (I1).
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { ROOT } from "../published.ts";

const run = promisify(execFile);
const INVARIANTS = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9"];

/** Makes every function of the engine throw, for whatever is loaded afterwards. */
const DISABLE_ENGINE = `data:text/javascript,${encodeURIComponent(`
  for (const name of Object.getOwnPropertyNames(WebAssembly)) {
    if (typeof WebAssembly[name] !== "function" || name.endsWith("Error")) continue;
    WebAssembly[name] = function () { throw new Error("the host used WebAssembly." + name); };
  }
`)}`;

const LOAD_AND_CALL = `
  const { PluginRuntime } = await import("@glovebox/runtime");
  const runtime = await PluginRuntime.open({
    security: { enableAuditLogging: false },
    validation: { requireSignatures: false },
  });
  const loaded = await runtime.load("plugins/datasource/dist");
  const query = { query_type: "Select", query: "cities" };
  const outcome = await runtime.executePluginFunction("datasource", "query_datasource", {}, query);
  await runtime.close();
  process.stdout.write(loaded.ok && outcome.ok ? "ran" : JSON.stringify({ loaded, outcome }));
`;

describe("I1", () => {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const host = (program: string) =>
    run(process.execPath, ["--import", DISABLE_ENGINE, "--input-type=module", "--eval", program], {
      cwd: ROOT,
      env,
    });

  test("a host without an engine loads and calls a plugin", async () => {
    expect((await host(LOAD_AND_CALL)).stdout).toBe("ran");
  });

  test("a host that used its engine would be noticed", async () => {
    const module = "new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))";
    await expect(host(module)).rejects.toThrow("the host used WebAssembly.Module");
  });
});

test("ARCHITECTURE.md has every invariant, each with a test or the reason why not yet", () => {
  const [, ...sections] = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8").split(/^### /m);
  expect(sections.map((section) => section.slice(0, 2))).toEqual(INVARIANTS);
  for (const section of sections) expect(section).toMatch(/\]\([^)]+\.test\.ts\)/);
});
