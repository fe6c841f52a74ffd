/**
 * @module The one build configuration of every package: ESM, no declarations (TypeScript 7 emits
 * them), source maps, and `node:` prefixes kept, without which `node:sqlite` or `node:ffi` break.
 */
import { defineConfig, type Options } from "tsup";

/** Builds the given entries of `src/`, by default the only door. */
export function preset(entries: readonly string[] = ["index"], more: Options = {}): Options {
  return defineConfig({
    entry: entries.map((entry) => `src/${entry}.ts`),
    outDir: "dist",
    format: ["esm"],
    dts: false,
    sourcemap: true,
    clean: true,
    target: "node22",
    removeNodeProtocol: false,
    ...more,
  }) as Options;
}
