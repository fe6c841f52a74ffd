/** @module A folder of the disk as files in memory. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { memoryFiles } from "@glovebox/testkit/files";

import { EVERY_RIGHT, type GrantedFiles } from "./granted-files.ts";

/** Copies folders by guest path into memory, granted with every right. */
export async function copyToMemory(folders: ReadonlyMap<string, string>): Promise<GrantedFiles> {
  const files: Record<string, Uint8Array> = {};
  for (const [guest, host] of folders) await copy(host, guest === "/" ? "" : guest, files);
  return {
    files: memoryFiles({ files, folders: [...folders.keys()], rights: EVERY_RIGHT }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function copy(host: string, guest: string, files: Record<string, Uint8Array>): Promise<void> {
  files[`${guest}/`] = new Uint8Array(0);
  for (const entry of await readdir(host, { withFileTypes: true })) {
    const [from, to] = [join(host, entry.name), `${guest}/${entry.name}`];
    if (entry.isDirectory()) await copy(from, to, files);
    else if (entry.isFile()) files[to] = await readFile(from);
  }
}
