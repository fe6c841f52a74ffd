/** @module Which layers can stand around a runner here. */
import type { OuterLayer } from "@glovebox/sandbox";

import { openLauncher } from "../../src/host/launcher.ts";

/** Why a layer cannot be tried here; `undefined` = it can. */
export async function unavailableLayer(layer: OuterLayer | "none"): Promise<string | undefined> {
  if (process.platform !== "linux") return `needs Linux, runs on ${process.platform}`;
  try {
    await (await openLauncher({}, layer)).close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
