/**
 * @module What the example plugins need to run at once: a key for sample tokens, a source of exchange
 * rates on another loopback address, a folder, and approvals that an operator would give. All of it
 * is the host's own, and nothing of it is there for other plugins.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";

import type { LoadResult, Logger, PluginRuntime, RuntimeConfig } from "@glovebox/runtime";

import { makeDirectory } from "./data-directory.ts";
import { openRateSource, SOURCE_ADDRESS } from "./rate-source.ts";
import { createVerifyHmac } from "./verify-hmac.ts";

/** The surroundings of the example plugins. */
export interface Example extends AsyncDisposable {
  readonly policy: NonNullable<RuntimeConfig["policy"]>;
  readonly config: Pick<RuntimeConfig, "hostFunctions" | "pluginConfig">;
  /** Signs sample tokens for the plugin `auth`. */
  readonly tokenKey: Uint8Array;
}

/** In the log, in place of a person. */
const OPERATOR = "example";
const FOLDER_BYTES = 65_536;
const FOLDER_FILES = 8;

/** Opens them. */
export async function openExample(dataDirectory: string, logger: Logger): Promise<Example> {
  const folder = join(dataDirectory, "example-files");
  await makeDirectory(folder);
  const tokenKey = randomBytes(32);
  const source = await openRateSource();
  if (source === undefined)
    logger.warn({}, "the example's source of rates has no port to listen on");
  const hostFunctions = { verify_hmac: createVerifyHmac(new Map([["auth/auth", tokenKey]])) };
  const root = { guest: "/rates", host: folder, allowRead: true, allowWrite: true };
  const filesystem = {
    roots: [
      { ...root, quotaBytes: FOLDER_BYTES, maxFileBytes: FOLDER_BYTES, maxFiles: FOLDER_FILES },
    ],
  };
  return {
    policy: {
      filesystem,
      ...(source === undefined
        ? {}
        : {
            network: {
              allowHttpOutbound: true,
              allowedHosts: [`${SOURCE_ADDRESS}:${source.port}`],
              // Named loosenings: the source is this process, on an address that nothing else has.
              allowInsecureHttp: true,
              privateCidrs: [`${SOURCE_ADDRESS}/32`],
            },
          }),
    },
    config: {
      hostFunctions,
      pluginConfig: {
        rates: { source: `http://${SOURCE_ADDRESS}:${source?.port ?? 0}/rates.json` },
      },
    },
    tokenKey,
    async [Symbol.asyncDispose]() {
      await source?.[Symbol.asyncDispose]();
    },
  };
}

/** Approves what an example waits for: its text is in the repository, and so is its policy. */
export async function approveExample(
  runtime: PluginRuntime,
  loaded: LoadResult,
  logger: Logger,
): Promise<LoadResult> {
  const [waiting] = runtime.approvals().pending;
  if (loaded.ok || waiting === undefined) return loaded;
  const { pluginId, requestDigest, changes } = waiting;
  logger.warn({ plugin: pluginId, changes }, "an example is approved by the host itself");
  return runtime.approve(pluginId, { operator: OPERATOR, requestDigest });
}
