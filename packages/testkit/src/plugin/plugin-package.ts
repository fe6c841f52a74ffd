/**
 * @module A plugin package (contract.md 1) built from WAT and a few fields, so that a test says
 * only what it is about.
 */
import type { JsonValue } from "@glovebox/core/json";

import { assembleWat } from "../wat/assemble-wat.ts";
import { type FixtureFiles, type PluginDirectory, pluginDirectory } from "./plugin-directory.ts";

type JsonObject = Readonly<Record<string, JsonValue>>;

/** One linked module: a string is WebAssembly text, bytes are used as they are. */
export interface PluginModule {
  readonly name: string;
  readonly wasm: string | Uint8Array;
}

/** What the plugin is; every field but `wasm` has a default that a strict host accepts. */
export interface PluginPackageOptions {
  /** The only module (text or bytes), or the linked ones, the main module last. */
  readonly wasm: string | Uint8Array | readonly PluginModule[];
  /** Default: `fixture`. */
  readonly id?: string;
  /** Default: `1.0.0`. */
  readonly version?: string;
  /** Default: `["template"]`. */
  readonly types?: readonly string[];
  /** Default: `flat`. */
  readonly abi?: "flat" | "extism" | "wasi";
  /** Default: left out, which means `runner`. */
  readonly instance?: "runner" | "call";
  /** The block `capabilities` with the manifest's own keys. Default: left out, nothing asked. */
  readonly capabilities?: JsonObject;
  /** The block `functions`. Default: left out. */
  readonly functions?: JsonObject;
  /** The block `dependencies`. Default: left out. */
  readonly dependencies?: JsonObject;
  /** The whole text of `plugin.yaml`, in place of the one made from the fields above. */
  readonly manifest?: string;
  /** Further files of the package; one named `plugin.yaml` or like a module wins over it. */
  readonly files?: FixtureFiles;
}

/**
 * Writes `plugin.yaml`, the modules and further files into a new temporary directory.
 *
 * @throws {@link TestkitError} (`TESTKIT_WAT`, `TESTKIT_FILE_NAME`)
 *
 * @example
 * ```ts
 * await using plugin = await buildPluginPackage({ id: "spin", wasm: `(module)` });
 * ```
 */
export async function buildPluginPackage(options: PluginPackageOptions): Promise<PluginDirectory> {
  const files: Record<string, string | Uint8Array> = {
    "plugin.yaml": options.manifest ?? manifestText(options),
  };
  for (const { name, wasm } of modulesOf(options)) {
    files[`${name}.wasm`] = typeof wasm === "string" ? await assembleWat(wasm) : wasm;
  }
  return pluginDirectory({ ...files, ...options.files });
}

function manifestText(options: PluginPackageOptions): string {
  const { capabilities, functions, dependencies, instance } = options;
  const modules = modulesOf(options).map(({ name }) => ({ name, path: `${name}.wasm` }));
  const manifest = {
    plugin: {
      id: options.id ?? "fixture",
      version: options.version ?? "1.0.0",
      types: options.types ?? ["template"],
      abi: options.abi ?? "flat",
      ...(isLinked(options.wasm) ? { modules } : { wasm: "plugin.wasm" }),
      ...(instance && { instance }),
    },
    ...(capabilities && { capabilities }),
    ...(functions && { functions }),
    ...(dependencies && { dependencies }),
  };
  // JSON is YAML (YAML 1.2.2 section 1.2), which spares this package a YAML writer.
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function modulesOf(options: PluginPackageOptions): readonly PluginModule[] {
  return isLinked(options.wasm) ? options.wasm : [{ name: "plugin", wasm: options.wasm }];
}

function isLinked(wasm: PluginPackageOptions["wasm"]): wasm is readonly PluginModule[] {
  return Array.isArray(wasm);
}
