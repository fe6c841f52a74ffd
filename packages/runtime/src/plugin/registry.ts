/**
 * @module The plugins of a host by id, at most so many, each id once. Ids that are being loaded have
 * their place already, so that two loads of one id never race.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import type { PluginId } from "@glovebox/core/ids";

import { createPlugin, type Plugin } from "./plugin.ts";

const RULE = "plugins";

/** All plugins of a host. */
export interface Registry {
  /** Looks a plugin up by an id that may be anything; one that is leaving is not found. */
  get(rawId: string): Plugin | undefined;
  /**
   * The plugin of that id, to be loaded, or replaced when it is there in another version,
   * or in the same one where that is welcome. It stays busy until `done`.
   */
  beginLoad(id: PluginId, version: string, isSameWelcome: boolean): Decision<Plugin>;
  /** The load has ended; a plugin that never had a generation is forgotten. */
  done(plugin: Plugin): void;
  /** Hides a plugin while its calls finish; its id stays taken until `remove`. */
  beginUnload(plugin: Plugin): void;
  remove(plugin: Plugin): void;
  /** All but those that are leaving. */
  all(): readonly Plugin[];
}

/** Makes an empty registry. */
export function createRegistry(maxPlugins: number): Registry {
  const plugins = new Map<string, Plugin>();
  const leaving = new Set<Plugin>();
  return {
    get(rawId) {
      const plugin = plugins.get(rawId);
      return plugin === undefined || leaving.has(plugin) ? undefined : plugin;
    },
    beginLoad(id, version, isSameWelcome) {
      const known = plugins.get(id);
      if (known === undefined) {
        if (plugins.size >= maxPlugins) {
          const reason = `${maxPlugins} plugins are loaded already`;
          return refuse("RUNTIME_PLUGIN_LIMIT", "plugins.count", reason);
        }
        const plugin = createPlugin(id);
        plugins.set(id, plugin);
        return allow(RULE, plugin);
      }
      if (known.isBusy) return busy(id);
      if (known.state === "quarantined") {
        const reason = `${id} is in quarantine: release or unload it before another version comes`;
        return refuse("RUNTIME_QUARANTINED", "plugins.quarantine", reason);
      }
      if (
        known.state !== "failed" &&
        !isSameWelcome &&
        known.generation?.manifest.version === version
      ) {
        const reason = `${id} is loaded already in version ${received(version)}`;
        return refuse("RUNTIME_PLUGIN_DUPLICATE", "plugins.version", reason);
      }
      known.isBusy = true;
      return allow(RULE, known);
    },
    done(plugin) {
      plugin.isBusy = false;
      if (plugin.generation === undefined) plugins.delete(plugin.id);
    },
    beginUnload(plugin) {
      plugin.isBusy = true;
      leaving.add(plugin);
    },
    remove(plugin) {
      leaving.delete(plugin);
      plugins.delete(plugin.id);
    },
    all: () => [...plugins.values()].filter((plugin) => !leaving.has(plugin)),
  };
}

/** Refuses what would meet a load, release or unload of the same plugin. */
export function busy(id: PluginId): Decision<never> {
  const reason = `${id} is being loaded, replaced, released or unloaded`;
  return refuse("RUNTIME_PLUGIN_BUSY", "plugins.busy", reason);
}
