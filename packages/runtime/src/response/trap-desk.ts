/**
 * @module Says in the operator's log where a plugin trapped, in the module that its author wrote:
 * what runs is metered, and its offsets are of no use to anybody. Finding the place takes metering the
 * module once more, so that it is done for a few places of each generation only, off the event loop,
 * and one at a time: loads find a thread free, whoever traps, and closing the host waits for none.
 */
import type { Decision } from "@glovebox/core/decision";
import type { PluginId } from "@glovebox/core/ids";
import type { CodedError } from "@glovebox/core/ports";
import type { MappedOffset } from "@glovebox/wasm-metering";

import type { Logger } from "../deps.ts";
import { MAX_TRAPS_LOCATED, MAX_TRAPS_WAITING } from "../limits.ts";
import type { Generation } from "../plugin/plugin.ts";

/** Looks at how calls ended. */
export interface TrapDesk {
  /** Returns at once; the log's line comes later. */
  note(pluginId: PluginId, generation: Generation, functionName: string, error: CodedError): void;
}

/** What the desk needs. */
export interface TrapDeskParts {
  readonly modules: {
    /** Where in the original module these offsets in the loaded one come from. */
    locate(
      source: Generation["source"],
      manifest: Generation["manifest"],
      limits: Generation["limits"],
      offsets: readonly number[],
    ): Promise<Decision<readonly MappedOffset[]>>;
  };
  readonly logger: Logger;
  /** Why nothing is looked up any more; `undefined` while the host is open. */
  readonly stopped: () => Decision<never> | undefined;
}

/** Makes the desk. */
export function createTrapDesk({ modules, logger, stopped }: TrapDeskParts): TrapDesk {
  /** Offsets of the innermost calls that were told of. */
  const told = new WeakMap<Generation, Set<number>>();
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;

  async function tell(
    plugin: PluginId,
    { source, manifest, limits }: Generation,
    functionName: string,
    offsets: readonly number[],
  ): Promise<void> {
    waiting -= 1;
    if (stopped() !== undefined) return;
    const located = await modules.locate(source, manifest, limits, offsets);
    if (!located.allowed) return;
    const frames = located.value.flatMap((place) =>
      place.kind === "none" ? [] : [{ function: place.function, offset: place.offset }],
    );
    logger.warn({ plugin, function: functionName, frames }, "a plugin trapped");
  }

  return {
    note(pluginId, generation, functionName, { code, details }) {
      if (code !== "SANDBOX_TRAP" || generation.manifest.modules.length > 1) return;
      // Checked by the sandbox, which has it from the plugin's process.
      const frames = (details["frames"] ?? []) as readonly { readonly offset: number }[];
      const offsets = frames.map(({ offset }) => offset);
      const [innermost] = offsets;
      const known = told.get(generation) ?? new Set();
      // A plugin chooses where it traps: for each place it would have its module metered again.
      if (innermost === undefined || known.has(innermost) || known.size >= MAX_TRAPS_LOCATED)
        return;
      if (waiting >= MAX_TRAPS_WAITING) return;
      waiting += 1;
      told.set(generation, known.add(innermost));
      last = last
        .then(() => tell(pluginId, generation, functionName, offsets))
        .catch((error: unknown) => logger.error({ error: String(error) }, "a trap was not found"));
    },
  };
}
