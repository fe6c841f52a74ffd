import { assembleWat, buildPluginPackage } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

function textOf(files: ReadonlyMap<string, Uint8Array>, name: string): string {
  return Buffer.from(files.get(name) ?? []).toString("utf8");
}

test("writes a manifest with defaults beside the assembled module", async () => {
  await using plugin = await buildPluginPackage({ wasm: "(module)" });
  expect(JSON.parse(textOf(plugin.files, "plugin.yaml"))).toEqual({
    plugin: {
      id: "fixture",
      version: "1.0.0",
      types: ["template"],
      abi: "flat",
      wasm: "plugin.wasm",
    },
  });
  expect(plugin.files.get("plugin.wasm")).toEqual(await assembleWat("(module)"));
});

test("passes every field on to the manifest", async () => {
  await using plugin = await buildPluginPackage({
    wasm: Uint8Array.of(1, 2, 3),
    id: "rate-table",
    version: "2.0.0",
    types: ["datasource"],
    abi: "extism",
    instance: "call",
    capabilities: { network: { allow_http_outbound: true } },
    functions: { query_datasource: {} },
    dependencies: { other: "^1.0.0" },
    files: { "README.txt": "hello" },
  });
  expect(JSON.parse(textOf(plugin.files, "plugin.yaml"))).toEqual({
    plugin: {
      id: "rate-table",
      version: "2.0.0",
      types: ["datasource"],
      abi: "extism",
      wasm: "plugin.wasm",
      instance: "call",
    },
    capabilities: { network: { allow_http_outbound: true } },
    functions: { query_datasource: {} },
    dependencies: { other: "^1.0.0" },
  });
  expect(plugin.files.get("plugin.wasm")).toEqual(Uint8Array.of(1, 2, 3));
  expect(textOf(plugin.files, "README.txt")).toBe("hello");
});

test("lists linked modules in order, the main module last", async () => {
  await using plugin = await buildPluginPackage({
    wasm: [
      { name: "library", wasm: "(module)" },
      { name: "main", wasm: "(module (memory 1))" },
    ],
  });
  expect(JSON.parse(textOf(plugin.files, "plugin.yaml")).plugin.modules).toEqual([
    { name: "library", path: "library.wasm" },
    { name: "main", path: "main.wasm" },
  ]);
  expect([...plugin.files.keys()]).toEqual(["plugin.yaml", "library.wasm", "main.wasm"]);
});

test("takes a whole manifest as it stands, however broken", async () => {
  await using plugin = await buildPluginPackage({ wasm: "(module)", manifest: "plugin: [" });
  expect(textOf(plugin.files, "plugin.yaml")).toBe("plugin: [");
});

test("says so when the text does not assemble", async () => {
  await expect(buildPluginPackage({ wasm: "(modul)" })).toThrowCode("TESTKIT_WAT");
});
