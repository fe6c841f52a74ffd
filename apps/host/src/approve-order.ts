/** @module The whole order that approves what waits, to be copied from the terminal or the page. */
import { resolve } from "node:path";

import type { PendingApproval } from "@glovebox/runtime";

import { shellWord } from "./shell-word.ts";

/** Where the data is, seen from where the command runs. */
export const DEFAULT_DATA = "glovebox-data";

/** The order; its digest approves nothing that came after what was read beside it. */
export function approveOrder(
  { pluginId, requestDigest }: Pick<PendingApproval, "pluginId" | "requestDigest">,
  dataDirectory: string = resolve(DEFAULT_DATA),
): string {
  const isDefault = dataDirectory === resolve(DEFAULT_DATA);
  const where = isDefault ? "" : ` --data ${shellWord(dataDirectory)}`;
  return `glovebox approvals approve ${pluginId} --operator NAME --digest ${requestDigest}${where}`;
}
