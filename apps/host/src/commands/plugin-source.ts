/**
 * @module What a command was pointed at: a plugin package (directory or `.tgz`) or a bare module.
 * Packages are read by the runtime, bounded and without following links.
 */
import { stat } from "node:fs/promises";

import {
  type PluginPackage,
  readPackage,
  RuntimeError,
  type RuntimeErrorCode,
} from "@glovebox/runtime";

import { HostError } from "../errors.ts";
import { MAX_PACKAGE_BYTES } from "../limits.ts";
import { readOperatorFile } from "../operator-file.ts";
import { osReason } from "../os-reason.ts";

/** A package or a module, in memory. */
export type CommandSource =
  | { readonly kind: "package"; readonly package: PluginPackage; readonly isDirectory: boolean }
  | { readonly kind: "module"; readonly bytes: Uint8Array };

/** The first two bytes of gzip (RFC 1952 section 2.3.1). */
const GZIP = [0x1f, 0x8b];

/**
 * Reads a source.
 *
 * @throws {@link HostError} (`HOST_FILE`), {@link RuntimeError} (`RUNTIME_PACKAGE_*`)
 */
export async function openSource(path: string): Promise<CommandSource> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw new HostError("HOST_FILE", {
      message: `${path} cannot be read: ${osReason(cause)}`,
      cause,
    });
  });
  if (stats.isDirectory()) return { ...(await packageAt(path)), isDirectory: true };
  const bytes = await readOperatorFile(path, MAX_PACKAGE_BYTES);
  if (GZIP.every((byte, at) => bytes[at] === byte)) {
    return { ...(await packageAt(path)), isDirectory: false };
  }
  return { kind: "module", bytes };
}

async function packageAt(
  path: string,
): Promise<{ readonly kind: "package"; readonly package: PluginPackage }> {
  const read = await readPackage(path, { maxBytes: MAX_PACKAGE_BYTES });
  if (!read.allowed)
    throw new RuntimeError(read.code as RuntimeErrorCode, { message: read.reason });
  return { kind: "package", package: read.value };
}
