import { assembleWat, buildPluginPackage } from "@glovebox/testkit";
/**
 * @module Issue "Bad input", at the level of `executePluginFunction` and `load`: each is one coded
 * error to the caller, and the host goes on serving the other plugins.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import {
  ECHO,
  flatPlugin,
  openRuntime,
  reachingPlugin,
  SPIN,
  type TestRuntime,
  TRAP,
} from "../open-runtime.ts";

let host: TestRuntime;
let plugins = 0;

beforeAll(async () => {
  host = await openRuntime({
    resources: { defaultCpuLimitMs: 100, maxInputBytes: 100_000, maxOutputBytes: 100_000 },
  });
  await host.load({ id: "neighbour", wasm: flatPlugin({ run: ECHO }) });
});
afterAll(() => host[Symbol.asyncDispose]());

/** Calls `run` of a plugin that is loaded for this one test; its neighbour must not notice. */
async function callOnce(
  options: Omit<Parameters<typeof buildPluginPackage>[0], "id">,
  functionName = "run",
  input: string | Uint8Array = "{}",
) {
  plugins += 1;
  const id = `bad-${plugins}`;
  await host.load({ ...options, id });
  const outcome = await host.runtime.executePluginFunction(
    id,
    functionName,
    {},
    Buffer.from(input),
  );
  expect(await host.call("neighbour", "run", "still here")).toBe("still here");
  await host.runtime.unload(id);
  return outcome.ok ? "ok" : outcome.error.code;
}

async function loadOnce(options: Omit<Parameters<typeof buildPluginPackage>[0], "id">) {
  plugins += 1;
  await using plugin = await buildPluginPackage({ ...options, id: `bad-${plugins}` });
  const result = await host.runtime.load(plugin.path);
  expect(host.runtime.list().map(({ id }) => id)).toEqual(["neighbour"]);
  expect(await host.call("neighbour", "run", "still here")).toBe("still here");
  return result.ok ? "ok" : result.error.code;
}

describe("a call that fails", () => {
  test.each([
    ["traps", { run: TRAP }, "SANDBOX_TRAP"],
    ["never ends", { run: SPIN }, "SANDBOX_CPU_LIMIT"],
    ["answers a pointer of -1", { run: "(i32.const -1) (i32.const 1)" }, "SANDBOX_OUTPUT_RANGE"],
    [
      "answers a length of 2^31-1",
      { run: "(i32.const 0) (i32.const 2147483647)" },
      "SANDBOX_OUTPUT_RANGE",
    ],
    ["answers a length of -1", { run: "(i32.const 0) (i32.const -1)" }, "SANDBOX_OUTPUT_RANGE"],
    [
      "grows its memory without end",
      {
        run: "(loop $l (br_if $l (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))) unreachable",
      },
      "SANDBOX_TRAP",
    ],
    [
      "answers too much",
      { run: "(drop (memory.grow (i32.const 4))) (i32.const 0) (i32.const 200000)" },
      "SANDBOX_OUTPUT_SIZE",
    ],
  ])("because the plugin %s", async (_name, functions, code) => {
    expect(await callOnce({ wasm: flatPlugin(functions) })).toBe(code);
  });

  test("because there is no such function", async () => {
    expect(await callOnce({ wasm: flatPlugin({ run: ECHO }) }, "other")).toBe(
      "SANDBOX_EXPORT_MISSING",
    );
    expect(await callOnce({ wasm: flatPlugin({ run: ECHO }) }, "memory")).toBe(
      "SANDBOX_EXPORT_MISSING",
    );
  });

  test("because the export is of another type", async () => {
    const wasm = flatPlugin(
      { run: ECHO },
      `(func (export "odd") (param f64) (result f64) local.get 0)`,
    );
    expect(await callOnce({ wasm }, "odd")).toBe("SANDBOX_EXPORT_MISSING");
    const one = flatPlugin(
      { run: ECHO },
      `(func (export "odd") (param i32 i32) (result f32) f32.const 0)`,
    );
    expect(await callOnce({ wasm: one }, "odd")).toBe("SANDBOX_ABI");
  });

  test("because the function's name cannot be one", async () => {
    expect(await callOnce({ wasm: flatPlugin({ run: ECHO }) }, "a\nb")).toBe("RUNTIME_INPUT");
    expect(await callOnce({ wasm: flatPlugin({ run: ECHO }) }, "\ud800")).toBe("RUNTIME_INPUT");
    expect(await callOnce({ wasm: flatPlugin({ run: ECHO }) }, "x".repeat(200))).toBe(
      "RUNTIME_INPUT",
    );
  });

  test("because the input is too large", async () => {
    const wasm = flatPlugin({ run: ECHO });
    expect(await callOnce({ wasm }, "run", new Uint8Array(100_001))).toBe("RUNTIME_INPUT_SIZE");
    expect(await callOnce({ wasm }, "run", new Uint8Array(100_000))).toBe("ok");
  });

  test("because the plugin makes host calls without end", async () => {
    const wasm = reachingPlugin().replace(
      '(func (export "say")',
      `(func (export "run") (result i32) (loop $again (drop (call $var_get (call $key))) (br $again)) (i32.const 0)) (func (export "say")`,
    );
    expect(await callOnce({ wasm, abi: "extism" })).toMatch(/^SANDBOX_(HOST_CALL|CPU)_LIMIT$/);
  });
});

describe("a load that fails", () => {
  test.each([
    [
      "a module that is missing",
      { wasm: flatPlugin({ run: ECHO }), manifest: manifest("nowhere.wasm") },
      "RUNTIME_PACKAGE_FILE_MISSING",
    ],
    ["a file that is no module", { wasm: Buffer.from("#!/bin/sh") }, "WASM_MAGIC"],
    [
      "a module that is cut off",
      { wasm: Buffer.from("0061736d01000000010401", "hex") },
      "WASM_SECTION",
    ],
    ["a module of another ABI", { wasm: reachingPlugin() }, "WASM_IMPORT_NOT_ALLOWED"],
    [
      "a module without the ABI's exports",
      { wasm: `(module (memory (export "memory") 1))` },
      "WASM_EXPORT_MISSING",
    ],
    [
      "a start function that never ends",
      { wasm: flatPlugin({ run: ECHO }, "(func $start (loop $l (br $l))) (start $start)") },
      "SANDBOX_CPU_LIMIT",
    ],
    [
      "a start function that traps",
      { wasm: flatPlugin({ run: ECHO }, "(func $start unreachable) (start $start)") },
      "SANDBOX_TRAP",
    ],
    [
      "a WASI module that is command and reactor in one",
      {
        wasm: `(module (func (export "_start")) (func (export "_initialize")))`,
        abi: "wasi" as const,
      },
      "SANDBOX_ABI",
    ],
    ["a manifest that is none", { wasm: `(module)`, manifest: "plugin: [" }, "MANIFEST_YAML"],
    [
      "a manifest with an unknown key",
      { wasm: `(module)`, manifest: manifest("plugin.wasm", "surprise: 1") },
      "MANIFEST_UNKNOWN_KEY",
    ],
    [
      "a dependency that is not loaded",
      { wasm: flatPlugin({ run: ECHO }), dependencies: { other: "^1.0.0" } },
      "MANIFEST_DEPENDENCY_MISSING",
    ],
    [
      "a dependency in another version",
      { wasm: flatPlugin({ run: ECHO }), dependencies: { neighbour: "^2.0.0" } },
      "MANIFEST_DEPENDENCY_VERSION",
    ],
  ])("because of %s", async (_name, options, code) => {
    expect(await loadOnce(options)).toBe(code);
  });

  test("because of a module that the engine refuses, in the plugin's own process", async () => {
    const wasm = await assembleWat(flatPlugin({ run: "(i32.const 0)" }), { validate: false });
    expect(await loadOnce({ wasm })).toBe("SANDBOX_MODULE_INVALID");
  });

  test("because the package is not there", async () => {
    const result = await host.runtime.load("/nowhere/at/all");
    expect(result).toMatchObject({ ok: false, error: { code: "RUNTIME_PACKAGE_READ" } });
    expect(result.ok || result.error.publicMessage).not.toContain("/nowhere");
  });
});

test("refuses a version that what depends on it does not accept", async () => {
  await host.load({
    id: "user",
    wasm: flatPlugin({ run: ECHO }),
    dependencies: { neighbour: "^1.0.0" },
  });
  await using next = await buildPluginPackage({
    id: "neighbour",
    version: "2.0.0",
    wasm: flatPlugin({ run: ECHO }),
  });
  expect(await host.runtime.load(next.path)).toMatchObject({
    error: { code: "MANIFEST_DEPENDENCY_VERSION" },
  });
  await host.runtime.unload("user");
});

function manifest(wasm: string, more = ""): string {
  return `plugin:\n  id: bad-x\n  version: 1.0.0\n  types: [template]\n  abi: flat\n  wasm: ${wasm}\n${more}\n`;
}
