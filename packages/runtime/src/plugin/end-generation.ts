/**
 * @module How a version of a plugin ends: its calls finish within a deadline, or are ended at once.
 * Its grant ends with it, so that nothing which it left behind can reach anything.
 */
import type { Broker } from "@glovebox/capability-broker";
import type { Clock } from "@glovebox/core/clock";

import { DRAIN_DEADLINE_MS } from "../limits.ts";
import type { Generation } from "./plugin.ts";

/** Lets running calls finish; after the deadline they are ended. Resolves when all is gone. */
export async function drainGeneration(
  generation: Generation,
  broker: Pick<Broker, "revoke">,
  clock: Clock,
): Promise<void> {
  const timer = clock.setTimer(DRAIN_DEADLINE_MS, () => {
    void killGeneration(generation, broker, "its calls did not finish in time");
  });
  try {
    await generation.sandboxed.drain();
  } finally {
    timer.cancel();
    broker.revoke(generation.grant.id);
  }
}

/** Ends processes, calls and grant now; resolves when the processes are gone. */
export async function killGeneration(
  generation: Generation,
  broker: Pick<Broker, "revoke">,
  reason: string,
): Promise<void> {
  // The grant first: what the plugin has in flight ends before its process does.
  broker.revoke(generation.grant.id);
  const gone = generation.sandboxed.kill(reason);
  generation.controller.abort(new Error(reason));
  await gone;
}
