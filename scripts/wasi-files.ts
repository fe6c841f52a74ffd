/** @module Folders of a suite as the broker grants them: copied to a temporary directory, with every right. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBroker } from "@glovebox/capability-broker";
import type { PluginId } from "@glovebox/core/ids";
import { recordingDecisionLog } from "@glovebox/testkit";

import { EVERY_RIGHT, type GrantedFiles } from "../packages/sandbox/test/wasi/granted-files.ts";

/** Copies folders by guest path and grants them to the plugin. */
export async function copyToDisk(
  pluginId: PluginId,
  folders: ReadonlyMap<string, string>,
): Promise<GrantedFiles> {
  const top = await mkdtemp(join(tmpdir(), "glovebox-wasi-"));
  const roots = [];
  for (const [at, [guest, source]] of [...folders].entries()) {
    const host = join(top, String(at));
    await cp(source, host, { recursive: true });
    const rights = { allowRead: false, allowWrite: false, rights: EVERY_RIGHT };
    roots.push({ guest, host, ...rights, allowHidden: true, extensions: "*" as const });
  }
  const broker = createBroker({ policy: { filesystem: { roots } }, log: recordingDecisionLog() });
  const allowedPaths = [...folders.keys()];
  const asked = { allowRead: true, allowWrite: true, allowedPaths, rights: EVERY_RIGHT };
  const grant = broker.grant(pluginId, folders.size === 0 ? {} : { filesystem: asked });
  if (!grant.allowed) throw new Error(`${grant.code}: ${grant.reason}`);
  return {
    files: broker.files(grant.value),
    async [Symbol.asyncDispose]() {
      await broker.close();
      await rm(top, { recursive: true });
    },
  };
}
