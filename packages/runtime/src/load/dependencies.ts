/**
 * @module Whether what a plugin depends on is loaded, and whether those that depend on it accept its
 * version. Problems that others have among themselves do not stop it.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { type PluginManifest, resolveDependencies } from "@glovebox/manifest-validator";

import type { Plugin } from "../plugin/plugin.ts";

/** Decides about a manifest beside the plugins that are loaded. */
export function checkDependencies(
  manifest: PluginManifest,
  plugins: readonly Plugin[],
): Decision<void> {
  const others = plugins.flatMap(({ id, generation }) =>
    id === manifest.id || generation === undefined ? [] : [generation.manifest],
  );
  const result = resolveDependencies([manifest, ...others]);
  if (result.ok) return allow("manifest.dependencies", undefined);
  const own = result.problems.filter(
    ({ pluginId, path, cycle }) =>
      pluginId === manifest.id ||
      path === `/dependencies/${manifest.id}` ||
      cycle?.includes(manifest.id) === true,
  );
  const [first] = own;
  if (first === undefined) return allow("manifest.dependencies", undefined);
  const reason = own.map(({ message }) => message).join("; ");
  return refuse(first.code, "manifest.dependencies", reason);
}
