/**
 * @module Builds the WASI suite of this project into a directory, in the layout of WebAssembly's
 * wasi-testsuite: the programs are AssemblyScript that calls WASI's functions as they are. Nothing
 * compiled is committed (style: no opaque blobs).
 */
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import asc from "assemblyscript/asc";

const PROGRAMS = join(import.meta.dirname, "programs");
const LIBRARY = "wasi";

/** Compiles every program; answers their names. */
export async function buildSuite(directory: string): Promise<readonly string[]> {
  const files = await readdir(PROGRAMS);
  const names = files.flatMap((file) => /^(?!wasi\.)(.+)\.as$/.exec(file)?.[1] ?? []);
  for (const file of files) {
    if (!file.endsWith(".as"))
      await cp(join(PROGRAMS, file), join(directory, file), { recursive: true });
  }
  for (const name of names) await writeFile(join(directory, `${name}.wasm`), await compile(name));
  return names;
}

async function compile(name: string): Promise<Uint8Array> {
  let output: Uint8Array | undefined;
  let messages = "";
  const flags = ["--exportStart", "_start", "--runtime", "stub", "--use", `abort=${LIBRARY}/abort`];
  const { error } = await asc.main(
    [`${name}.ts`, "--baseDir", PROGRAMS, "--outFile", "program.wasm", ...flags],
    {
      // The compiler asks for every place where a file may be, and expects null for "not there".
      readFile: (path: string, folder: string) =>
        readFile(join(folder, path.replace(/\.ts$/, ".as")), "utf8").catch(() => null),
      writeFile(path: string, contents: Uint8Array | string) {
        if (path === "program.wasm" && typeof contents !== "string") output = contents;
      },
      listFiles: () => [],
      stderr: {
        write(chunk: Uint8Array | string) {
          messages += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
        },
      },
    },
  );
  if (error !== null || output === undefined) {
    throw new Error(`${name} does not compile: ${String(error)}\n${messages}`);
  }
  return output;
}
