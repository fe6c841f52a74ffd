/**
 * @module Whether the host folders behind a policy's guest folders are there: a misspelled one would
 * only show in a plugin's first call, as a file that cannot be had.
 */
import { stat } from "node:fs/promises";

import type { RuntimeConfig } from "@glovebox/runtime";

import { HostError } from "./errors.ts";
import { osReason } from "./os-reason.ts";

/**
 * Looks at each folder.
 *
 * @throws {@link HostError} (`HOST_FILE`)
 */
export async function assertPolicyFolders({
  filesystem,
}: NonNullable<RuntimeConfig["policy"]>): Promise<void> {
  for (const { guest, host } of filesystem?.roots ?? []) {
    // What is no absolute path the broker refuses, with the reason.
    if (typeof host === "string" && host.startsWith("/")) await assertFolder(guest, host);
  }
}

async function assertFolder(guest: string, host: string): Promise<void> {
  const found = await stat(host).catch((cause: unknown) => {
    throw new HostError("HOST_FILE", {
      message: `the folder ${host} behind ${guest} cannot be used: ${osReason(cause)}`,
      cause,
    });
  });
  if (!found.isDirectory()) {
    throw new HostError("HOST_FILE", { message: `${host} behind ${guest} is no folder` });
  }
}
