/**
 * @module The data directory: only the host's user may enter it, and no plugin may read the key of
 * the approvals in it, neither as a file that it was granted nor as one of its own package.
 */
import { mkdir, realpath } from "node:fs/promises";
import { relative } from "node:path";

import type { RuntimeConfig } from "@glovebox/runtime";

import { HostError } from "../errors.ts";
import { osReason } from "../os-reason.ts";

/** Makes a directory; its parent must exist: `recursive` never returns where the kernel makes no directories. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    if ((cause as { code?: string }).code === "EEXIST") return;
    throw refused(`the data directory ${path} cannot be made: ${osReason(cause)}`, cause);
  }
}

/**
 * Whether the data directory lies outside of everything that plugins may read.
 *
 * @throws {@link HostError} (`HOST_DATA_DIRECTORY`)
 */
export async function assertKeyOutside(
  dataDirectory: string,
  plugins: readonly string[],
  { filesystem }: NonNullable<RuntimeConfig["policy"]>,
): Promise<void> {
  const data = await realpath(dataDirectory);
  const roots = (filesystem?.roots ?? []).map(({ host }) => host);
  for (const path of [...plugins, ...roots]) {
    // What is not there holds nothing; its own step refuses it.
    const real = typeof path === "string" ? await realpath(path).catch(() => undefined) : undefined;
    if (real !== undefined && isWithin(real, data))
      throw refused(`plugins could read the data directory ${data}, which lies in ${real}`);
  }
}

function isWithin(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === "" || !(way === ".." || way.startsWith("../"));
}

function refused(message: string, cause?: unknown): HostError {
  return new HostError("HOST_DATA_DIRECTORY", { message, cause });
}
