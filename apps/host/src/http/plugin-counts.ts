/**
 * @module Calls and denials of each plugin for the page, read from the metrics in the Prometheus text
 * format 0.0.4, which is the runtime's only public count of them.
 */

/** What has happened to one plugin since it was loaded. */
export interface PluginCounts {
  readonly calls: number;
  /** Everything that was refused to it or of it. */
  readonly denials: number;
}

const SERIES =
  /^glovebox_plugin_(calls|denials)_total\{plugin="([a-z0-9-]+)"[^}]*\} (\d+(?:\.\d+)?)/gm;

/** Plugin id → counts; a plugin that was never called is not in it. */
export function pluginCounts(metricsText: string): ReadonlyMap<string, PluginCounts> {
  const counts = new Map<string, { calls: number; denials: number }>();
  for (const [, name, id = "", value] of metricsText.matchAll(SERIES)) {
    const count = counts.get(id) ?? { calls: 0, denials: 0 };
    if (name === "calls") count.calls += Number(value);
    else count.denials += Number(value);
    counts.set(id, count);
  }
  return counts;
}
