/** @module What an operator should know of a plugin that is loaded all the same. */
import type { GrantSet } from "@glovebox/capability-broker";
import type { PluginManifest } from "@glovebox/manifest-validator";

/** What was asked for and is not given, and what is asked for and not enforced yet. */
export function manifestWarnings(
  { capabilities }: PluginManifest,
  grant: GrantSet,
): readonly string[] {
  const { maxInstructions } = capabilities.resources;
  return [
    ...grant.withheld,
    ...(maxInstructions === undefined
      ? []
      : ["max_instructions is not enforced by this version; CPU time is"]),
  ];
}
