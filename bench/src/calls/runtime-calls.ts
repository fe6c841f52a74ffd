/** @module What the whole runtime adds to a call: limits, audit, monitoring, by durability mode. */

/** Filled in with the runtime's bench; until then nothing is reported. */
export async function runtimeRatios(_bytes: Uint8Array): Promise<Record<string, number>> {
  return {};
}
