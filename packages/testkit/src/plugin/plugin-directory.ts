/**
 * @module A directory of fixture files in a fresh temporary folder, removed on dispose, so that a
 * suite can plant links and damage files without touching another suite's.
 */
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { received } from "@glovebox/core/errors";

import { TestkitError } from "../errors.ts";

/** File name (relative, forward slashes) to content. */
export type FixtureFiles = Readonly<Record<string, string | Uint8Array>>;

/** A directory on disk that lives until it is disposed of. */
export interface PluginDirectory extends AsyncDisposable {
  /** Absolute path without symbolic links. */
  readonly path: string;
  /** What was written, as bytes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Writes files into a new temporary directory.
 *
 * @throws {@link TestkitError} (`TESTKIT_FILE_NAME`) for a name that is not inside the directory.
 *
 * @example
 * ```ts
 * await using directory = await pluginDirectory({ "plugin.yaml": "plugin: {}", "a/b.txt": "hi" });
 * ```
 */
export async function pluginDirectory(files: FixtureFiles): Promise<PluginDirectory> {
  const contents = new Map<string, Uint8Array>();
  for (const [name, content] of Object.entries(files)) {
    contents.set(checkName(name), typeof content === "string" ? Buffer.from(content) : content);
  }
  const path = await realpath(await mkdtemp(join(tmpdir(), "glovebox-test-")));
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  try {
    for (const [name, bytes] of contents) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), bytes);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, files: contents, [Symbol.asyncDispose]: remove };
}

function checkName(name: string): string {
  const components = name.split("/");
  if (
    name.includes("\\") ||
    components.some((part) => part === "" || part === "." || part === "..")
  ) {
    throw new TestkitError("TESTKIT_FILE_NAME", {
      message: `a fixture file name is a relative path with forward slashes; received ${received(name)}`,
    });
  }
  return name;
}
