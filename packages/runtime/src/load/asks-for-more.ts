/**
 * @module What a plugin asks for beyond what its loaded version asks: an update that wants more must
 * not pass unseen. What it gets is the broker's to decide, and an operator's where approvals are kept.
 */
import { changeLines, requestChanges } from "@glovebox/capability-broker";
import type { PluginManifest } from "@glovebox/manifest-validator";

import type { ParsedConfig } from "../options.ts";
import type { Plugin } from "../plugin/plugin.ts";

/** Lines for people, such as `+ may now also write to /data`; none for the first load of a plugin. */
export function asksForMore(
  { policy }: Pick<ParsedConfig, "policy">,
  { generation }: Pick<Plugin, "generation">,
  { capabilities }: Pick<PluginManifest, "capabilities">,
): readonly string[] {
  const before = generation?.manifest.capabilities;
  if (before === undefined) return [];
  const changes = requestChanges(before, capabilities, policy.network?.privateCidrs);
  // A request that is malformed is refused by the broker, with its reason.
  return changes.allowed ? changeLines(changes.value.filter(({ kind }) => kind === "gained")) : [];
}
