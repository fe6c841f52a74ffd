/**
 * @module What a plugin asks for beyond what its operator confirmed or, where nobody was asked, beyond
 * what its loaded version asks: an update that wants more must not pass unseen. What it gets is still
 * the broker's to decide.
 */
import { changeLines, requestChanges } from "@glovebox/capability-broker";
import type { PluginManifest } from "@glovebox/manifest-validator";

import type { ParsedConfig } from "../options.ts";
import type { Plugin } from "../plugin/plugin.ts";

/** Lines for people, such as `+ may now also write to /data`; none for the first load of a plugin. */
export function asksForMore(
  { approvals, policy }: Pick<ParsedConfig, "approvals" | "policy">,
  { id, generation }: Pick<Plugin, "id" | "generation">,
  { capabilities }: Pick<PluginManifest, "capabilities">,
): readonly string[] {
  const before = approvals.get(id) ?? generation?.manifest.capabilities;
  if (before === undefined) return [];
  const changes = requestChanges(before, capabilities, policy.network?.privateCidrs);
  // A request that is malformed is refused by the broker, with its reason.
  return changes.allowed ? changeLines(changes.value.filter(({ kind }) => kind === "gained")) : [];
}
