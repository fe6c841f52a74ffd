/** @module The host's own addresses, which beat every grant: read again when they may have changed. */
import type { Clock } from "@glovebox/core/clock";

import { LOCAL_ADDRESSES_MS } from "../limits.ts";
import { type Address, parseAddress } from "../target/address.ts";

/** Parsed addresses of the host, at most {@link LOCAL_ADDRESSES_MS} old. */
export function createLocalAddresses(
  read: () => readonly string[],
  clock: Pick<Clock, "monotonicMs">,
): () => readonly Address[] {
  let addresses: readonly Address[] = [];
  let readAtMs = -Infinity;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - readAtMs < LOCAL_ADDRESSES_MS) return addresses;
    addresses = read().flatMap((text) => parseAddress(text) ?? []);
    readAtMs = nowMs;
    return addresses;
  };
}
