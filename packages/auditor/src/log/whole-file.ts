/** @module Small files of a log that are read and replaced as a whole. */
import { dirname } from "node:path";

import type { LogFile, LogFileSystem } from "./file-system.ts";

/** A write may take fewer bytes than it was given; one that takes none will take none for ever. */
export async function writeAll(file: LogFile, bytes: Uint8Array, position = 0): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const rest = written === 0 ? bytes : bytes.subarray(written);
    const taken = await file.write(rest, position + written);
    if (!(taken > 0)) throw new Error("the file took no bytes");
    written += taken;
  }
}

/** Reads a file; `undefined` if it is not there. A longer one than `maxBytes` is cut, by one byte more. */
export async function readWhole(
  fileSystem: Pick<LogFileSystem, "open">,
  path: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const file = await fileSystem.open(path, "read");
  if (file === undefined) return undefined;
  try {
    return await file.read(0, Math.min(await file.size(), maxBytes + 1));
  } finally {
    await file.close();
  }
}

/** Replaces a file so that after a power cut it is the old or the new one, and whole. */
export async function replaceDurably(
  fileSystem: LogFileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const aside = `${path}.tmp`;
  await writeAside(fileSystem, aside, bytes);
  await fileSystem.rename(aside, path);
  await fileSystem.syncDirectory(dirname(path));
}

/** Writes a file and syncs it. */
export async function writeAside(
  fileSystem: Pick<LogFileSystem, "open">,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const file = await fileSystem.open(path, "replace");
  if (file === undefined) throw new Error(`${path} vanished`);
  try {
    await writeAll(file, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
