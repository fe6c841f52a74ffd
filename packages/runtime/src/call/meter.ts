/** @module Counts what one call does outside of its process, for its usage. */
import type { Meter } from "@glovebox/core/ports";

/** The counts of one call; on the hot path, so plain fields. */
export class CallMeter implements Meter {
  networkRequests = 0;
  fileOperations = 0;
  hostCalls = 0;

  add(counter: "networkRequests" | "fileOperations" | "hostCalls", amount: number): void {
    this[counter] += amount;
  }
}
