/** @module `glovebox serve` as a process: what it prints, answers, and leaves behind. */
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { buildPluginPackage, pluginDirectory } from "@glovebox/testkit";
import { expect, test, vi } from "vitest";

import { run, start } from "./command.ts";

// A host that boots a process for each of its plugins, on whatever machine.
vi.setConfig({ testTimeout: 120_000 });

const FLAT = `(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "echo") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))`;
const PRINTED_LAST = "Ctrl-C";

test("the example plugins answer the samples that are printed, and SIGTERM ends with 0", async () => {
  await using data = await pluginDirectory({});
  await using host = start(["serve", "--port", "0", "--data", data.path]);
  const greeting = await host.printed(PRINTED_LAST);
  const samples = [
    ...greeting.matchAll(/^curl -s (\S+) -H 'content-type: application\/json' -d '(.+)'$/gm),
  ];
  const answers = await Promise.all(
    samples.map(async ([, url = "", body = ""]) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body });
      return [url.split("/").at(-1), response.status, await response.json()];
    }),
  );
  expect(answers).toMatchObject([
    ["authenticate", 200, { output: { authenticated: true, identity: { user_id: "ann" } } }],
    ["template_function", 200, { output: "************1111" }],
    ["generate_response", 200, { output: { status_code: 200 } }],
    ["query_datasource", 200, { output: { total_count: 2 } }],
    ["query_datasource", 200, { output: { total_count: 1, metadata: { from: "file" } } }],
  ]);
  expect((await stat(join(data.path, "audit"))).mode & 0o777).toBe(0o700);

  const second = await run("serve", "--port", "0", "--data", data.path);
  expect([second.exit, second.out]).toEqual([1, ""]);
  expect(second.err).toMatch(/^AUDITOR_LOCKED: [^\n]+ --data of its own\.\n$/);

  const ended = await host.stop("SIGTERM");
  expect(ended.exit).toBe(0);
  const lines = ended.err.trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain("the host ends");
  expect((await run("audit", "verify", join(data.path, "audit"))).exit).toBe(4);
});

test("a package of one's own has to be signed, or be let in by name", async () => {
  await using data = await pluginDirectory({});
  await using plugin = await buildPluginPackage({ id: "mine", wasm: FLAT });
  const args = ["serve", "--port", "0", "--data", data.path, "--plugin", plugin.path];
  const refused = await run(...args);
  expect([refused.exit, refused.err]).toEqual([
    1,
    expect.stringMatching(/^SIGNER_SIGNATURE_MISSING: [^\n]+ or pass --allow-unsigned\.\n$/),
  ]);
  await using host = start([...args, "--allow-unsigned"]);
  expect(await host.printed(PRINTED_LAST)).toContain("Plugin mine 1.0.0: echo");
  expect((await host.stop("SIGINT")).exit).toBe(0);
});

test("a port that is taken ends the start with one coded line, and frees the log", async () => {
  await using data = await pluginDirectory({});
  await using plugin = await buildPluginPackage({ id: "mine", wasm: FLAT });
  const args = ["--plugin", plugin.path, "--allow-unsigned", "--data"];
  await using host = start(["serve", "--port", "0", ...args, join(data.path, "a")]);
  const [, port = ""] = /:(\d+) /.exec(await host.printed(PRINTED_LAST)) ?? [];
  const second = await run("serve", "--port", port, ...args, join(data.path, "b"));
  expect([second.exit, second.err]).toEqual([
    1,
    expect.stringMatching(/^HOST_LISTEN: [^\n]+ \(EADDRINUSE\)\. [^\n]+ --port\.\n$/),
  ]);
  await using third = start(["serve", "--port", "0", ...args, join(data.path, "b")]);
  await third.printed(PRINTED_LAST);
});

test.each([
  ["a data directory that cannot be made", ["--data", "/dev/null"], 1, /^HOST_DATA_DIRECTORY: /],
  ["a port that is none", ["--port", "many"], 2, /^HOST_USAGE: /],
  [
    "an option that is nearly one",
    ["--prot", "0"],
    2,
    /^HOST_USAGE: [^\n\\]+ \(Did you mean --port\?\)\n$/,
  ],
  ["a key that is not there", ["--trust", "/nonexistent"], 1, /^HOST_FILE: /],
])("%s ends the start with one coded line", async (_what, args, exit, line) => {
  const ended = await run("serve", "--port", "0", ...args);
  expect([ended.exit, ended.out]).toEqual([exit, ""]);
  expect(ended.err).toMatch(line);
  expect(ended.err.trim().split("\n")).toHaveLength(1);
});
