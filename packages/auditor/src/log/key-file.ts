/**
 * @module A log's key in a file of its own, for hosts without a key store: Ed25519 in PKCS #8, mode
 * 0600, outside of the log's directory. Whoever can read it can sign as the log; what that could
 * change shows against an anchor or a witness.
 */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { dirname } from "node:path";

import { createNoteSigner, type NoteSigner } from "@glovebox/tlog/note";

import { AuditorError } from "../errors.ts";
import { MAX_CHECKPOINT_BYTES } from "../limits.ts";
import { type LogFileSystem, nodeFileSystem, prepareDirectory } from "./file-system.ts";
import { readWhole, replaceDurably } from "./whole-file.ts";

/** What a key is for: a log (0x01), or a witness (0x04), whose cosignatures say when they were made. */
export type KeyFileType = 0x01 | 0x04;

/**
 * Reads the key of `path`, or makes one there. `name` is the log's origin, or the witness's name.
 *
 * @throws {@link AuditorError} (`AUDITOR_DIRECTORY`, `AUDITOR_KEY`)
 */
export async function openKeyFile(
  path: string,
  name: string,
  fileSystem: LogFileSystem = nodeFileSystem,
  type: KeyFileType = 0x01,
): Promise<NoteSigner> {
  await prepareDirectory(dirname(path), fileSystem);
  const found = await readWhole(fileSystem, path, MAX_CHECKPOINT_BYTES);
  if (found !== undefined) return signerOf(path, name, type, found);
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = Buffer.from(privateKey.export({ format: "pem", type: "pkcs8" }));
  // Durable before anything is signed with it: a log without its key cannot go on.
  await replaceDurably(fileSystem, path, pem);
  return signerOf(path, name, type, pem);
}

function signerOf(path: string, name: string, type: KeyFileType, pem: Buffer): NoteSigner {
  try {
    return createNoteSigner({ name, privateKey: createPrivateKey(pem), type });
  } catch {
    // The cause may quote the key.
    throw new AuditorError("AUDITOR_KEY", { message: `${path} holds no Ed25519 key` });
  }
}
