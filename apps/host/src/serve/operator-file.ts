/**
 * @module How operators reach the host that runs on a data directory: its address, and a token that
 * lives as long as the host does. Only the host's user can read it, so that whoever shows the token
 * is that user, or was let in by them.
 */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { parseBoundedJson } from "@glovebox/core/json";

import { HostError } from "../errors.ts";
import { MAX_SMALL_FILE_BYTES, OPERATOR_TOKEN_BYTES } from "../limits.ts";
import { readPrivateFile, replacePrivateFile } from "./private-file.ts";

/** What an operator needs. */
export interface OperatorAccess {
  /** Such as `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly token: string;
}

const FILE = "operator.json";

/** A token that nobody can guess. */
export function newOperatorToken(): string {
  return randomBytes(OPERATOR_TOKEN_BYTES).toString("base64url");
}

/** Writes the file; disposing removes it. */
export async function offerAccess(
  directory: string,
  access: OperatorAccess,
): Promise<AsyncDisposable> {
  const path = join(directory, FILE);
  await replacePrivateFile(path, `${JSON.stringify(access)}\n`);
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/**
 * Reads the file of the host that runs on the directory.
 *
 * @throws {@link HostError} (`HOST_NOT_RUNNING`, `HOST_PRIVATE_FILE`)
 */
export async function readAccess(directory: string): Promise<OperatorAccess> {
  const path = join(directory, FILE);
  const bytes = await readPrivateFile(path, MAX_SMALL_FILE_BYTES);
  const parsed = bytes && parseBoundedJson(bytes, { maxBytes: MAX_SMALL_FILE_BYTES });
  const { url, token } = (parsed?.allowed === true ? parsed.value : {}) as Partial<OperatorAccess>;
  if (typeof url === "string" && typeof token === "string") return { url, token };
  throw new HostError("HOST_NOT_RUNNING", { message: `there is no ${path}` });
}
