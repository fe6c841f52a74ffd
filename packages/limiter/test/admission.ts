/** @module What the tests of admission share: ids, unwrapping, and a look at a promise's state. */
import type { Decision } from "@glovebox/core/decision";
import { type PluginId, type TenantId, parsePluginId, parseTenantId } from "@glovebox/core/ids";
import type { Limiter, Permit } from "@glovebox/limiter";

/** The value of a decision that has to be an allowance. */
export function granted<T>(decision: Decision<T>): T {
  if (decision.allowed) return decision.value;
  throw new Error(`refused: ${decision.code}: ${decision.reason}`);
}

export function plugin(id: string): PluginId {
  return granted(parsePluginId(id));
}

export function tenant(id: string): TenantId {
  return granted(parseTenantId(id));
}

/** Takes a slot that has to be free. */
export function hold(limiter: Limiter, pluginId: PluginId): Permit {
  return granted(limiter.tryAdmit({ pluginId }));
}

/** A queued admission, and whether it has settled by now. */
export interface Watched {
  readonly answer: Promise<Decision<Permit>>;
  readonly settled: () => boolean;
}

/** Asks for admission and watches the answer. */
export function queue(limiter: Limiter, pluginId: PluginId, signal?: AbortSignal): Watched {
  let settled = false;
  const answer = limiter.admit(signal === undefined ? { pluginId } : { pluginId, signal });
  void answer.then(() => (settled = true));
  return { answer, settled: () => settled };
}

/** Lets every promise that is ready run its reactions. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
