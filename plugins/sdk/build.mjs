/**
 * Builds the plugin in the current directory: `assembly/index.ts` with the AssemblyScript compiler,
 * or `plugin.wat` with wabt, to `dist/plugin.wasm`, and puts `plugin.yaml` beside it, so that `dist`
 * is a plugin package.
 *
 *   node build.mjs [ENTRY [OUTPUT_DIRECTORY]]
 */
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

const text = existsSync("plugin.wat");
// Another entry is a module for a test, not a package.
if (process.argv[2] === undefined && !existsSync("plugin.yaml")) {
  process.stderr.write(
    `There is no plugin.yaml in ${process.cwd()}: a plugin package needs one.\n`,
  );
  process.exit(1);
}
const [entry = text ? "plugin.wat" : "assembly/index.ts", directory = "dist"] =
  process.argv.slice(2);
const output = join(directory, "plugin.wasm");

await rm(output, { force: true });
await mkdir(directory, { recursive: true });
await (entry.endsWith(".wat") ? assemble() : compile());
if (existsSync("plugin.yaml")) await copyFile("plugin.yaml", join(directory, "plugin.yaml"));

async function assemble() {
  const { default: wabt } = await import("wabt");
  const module = (await wabt()).parseWat(entry, await readFile(entry), {
    multi_value: true,
    bulk_memory: true,
  });
  module.resolveNames();
  module.validate();
  await writeFile(output, module.toBinary({}).buffer);
  module.destroy();
}

async function compile() {
  const { default: asc } = await import("assemblyscript/asc");
  let messages = "";
  const { error } = await asc.main(
    [
      entry,
      "--outFile",
      output,
      "--optimizeLevel",
      "3",
      "--shrinkLevel",
      "1",
      // Collects garbage within a call too, which chunked processing counts on.
      "--runtime",
      "incremental",
      // Where npm put the library and links it under its name.
      "--path",
      relative(process.cwd(), join(import.meta.dirname, "../../node_modules")),
      // Without this the compiler imports `env.abort`, which no host of ours offers.
      "--use",
      "abort=~lib/@glovebox/plugin-sdk/assembly/failure/onAbort",
    ],
    { stderr: { write: (chunk) => (messages += chunk) } },
  );
  if (error) throw new Error(`${error.message}\n${messages}`);
}
