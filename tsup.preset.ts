/**
 * @module The one build configuration of every package: `tsup --config ../../tsup.preset.ts`, run in
 * its folder, builds what package.json names (doors, inner entries, commands) and nothing else. ESM
 * only; no declarations (TypeScript 7 emits them); `node:` prefixes kept, without which
 * `node:sqlite` or `node:ffi` break.
 */
import { readFileSync } from "node:fs";

import { defineConfig, type Options } from "tsup";

/** The keys of package.json that name what is built. */
interface Named {
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly imports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** Output path without extension → source file, for everything that a manifest names. */
export function entriesOf({ exports = {}, imports = {}, bin = {} }: Named): Record<string, string> {
  const sources = [...Object.values(exports), ...Object.values(imports)].flatMap((target) => {
    const source =
      typeof target === "object" && target !== null
        ? Reflect.get(target, "@glovebox/source")
        : undefined;
    return typeof source === "string" && !source.includes("*") ? [source] : [];
  });
  const commands = Object.values(bin).map((file) =>
    file.replace("./dist/", "./src/").replace(/\.js$/, ".ts"),
  );
  return Object.fromEntries(
    [...sources, ...commands].map((source) => [
      source.replace(/^\.\/src\/|\.ts$/g, ""),
      source.replace("./", ""),
    ]),
  );
}

/** The shared options, for a package that builds more than its manifest names. */
export function preset(entries?: readonly string[], more: Options = {}): Options {
  return {
    entry:
      entries === undefined ? entriesOf(manifestHere()) : entries.map((entry) => `src/${entry}.ts`),
    outDir: "dist",
    format: ["esm"],
    dts: false,
    sourcemap: true,
    clean: true,
    target: "node22",
    removeNodeProtocol: false,
    ...more,
  };
}

function manifestHere(): Named {
  return JSON.parse(readFileSync("package.json", "utf8")) as Named;
}

export default defineConfig(() => preset());
