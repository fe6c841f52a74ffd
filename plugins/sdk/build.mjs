/**
 * Builds the plugin in the current directory: `assembly/index.ts` with the AssemblyScript compiler,
 * or `plugin.wat` with wabt, to `dist/plugin.wasm`, and puts `plugin.yaml` beside it, so that `dist`
 * is a plugin package.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

await rm("dist", { recursive: true, force: true });
await mkdir("dist", { recursive: true });
if (existsSync("plugin.wat")) await assemble();
else await compile();
await copyFile("plugin.yaml", "dist/plugin.yaml");

async function assemble() {
  const { default: wabt } = await import("wabt");
  const library = await wabt();
  const module = library.parseWat("plugin.wat", await readFile("plugin.wat"), {
    multi_value: true,
    bulk_memory: true,
  });
  module.resolveNames();
  module.validate();
  await writeFile("dist/plugin.wasm", module.toBinary({}).buffer);
  module.destroy();
}

async function compile() {
  const { default: asc } = await import("assemblyscript/asc");
  const library = relative(process.cwd(), fileURLToPath(new URL("assembly", import.meta.url)));
  const { error, stderr } = await asc.main([
    "assembly/index.ts",
    "--outFile",
    "dist/plugin.wasm",
    "--optimizeLevel",
    "3",
    "--shrinkLevel",
    "1",
    "--runtime",
    "incremental",
    // Without this the compiler imports `env.abort`, which no host of ours offers.
    "--use",
    `abort=${library}/failure/onAbort`,
  ]);
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
}
