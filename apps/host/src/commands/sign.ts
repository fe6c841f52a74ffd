/**
 * @module `glovebox keygen` and `glovebox sign`: what a publisher needs, offline. The private key is
 * written once, for its owner only, and never printed (I7).
 */
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { generateKeyPair, SIGNATURE_FILE, signPackage } from "@glovebox/signer";

import { HostError, usageError } from "../errors.ts";
import { MAX_SMALL_FILE_BYTES } from "../limits.ts";
import { readOperatorFile } from "../operator-file.ts";
import { osReason } from "../os-reason.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";
import { inspectManifest } from "./inspect-manifest.ts";
import { openSource } from "./plugin-source.ts";

/** Makes a key pair: FILE is the private key, FILE.pub the public one; neither may exist. */
export async function keygen(
  { out }: { readonly out: string },
  terminal: Terminal,
): Promise<number> {
  const { privateKey, publicKey, keyId } = generateKeyPair();
  const privatePem = privateKey.export({ type: "pkcs8", format: "pem" });
  const publicPem = publicKey.export({ type: "spki", format: "pem" });
  await writeNew(out, privatePem, 0o600);
  await writeNew(`${out}.pub`, publicPem, 0o644);
  await terminal.out(`${keyId}\n`);
  return EXIT.ok;
}

/** Signs every file of a package directory. */
export async function sign(
  directory: string,
  { key }: { readonly key: string },
  terminal: Terminal,
): Promise<number> {
  const source = await openSource(directory);
  if (source.kind !== "package" || !source.isDirectory) {
    throw usageError("sign takes the directory of a plugin package");
  }
  const { files } = source.package;
  const { manifest, problems } = inspectManifest(files);
  const [problem] = problems;
  if (manifest === null) {
    return fail(terminal, problem ?? { code: "HOST_PACKAGE", message: "there is no manifest" });
  }
  const privateKey = (await readOperatorFile(key, MAX_SMALL_FILE_BYTES)).toString("utf8");
  const { id, version } = manifest;
  const signature = signPackage(files, { pluginId: id, version, privateKey });
  await replace(join(directory, SIGNATURE_FILE), signature);
  await terminal.out(`signed ${id} ${version}\n`);
  return EXIT.ok;
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const next = `${path}.${process.pid}`;
  await writeNew(next, bytes, 0o644);
  try {
    await rename(next, path);
  } catch (cause) {
    await rm(next, { force: true });
    throw unwritable(path, cause);
  }
}

async function writeNew(
  path: string,
  data: string | Buffer | Uint8Array,
  mode: number,
): Promise<void> {
  try {
    await using file = await open(path, "wx", mode);
    await file.writeFile(data);
    await file.sync();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): HostError {
  return new HostError("HOST_FILE", {
    message: `${path} cannot be written: ${osReason(cause)}`,
    cause,
  });
}
