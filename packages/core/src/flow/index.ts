/** @module The door @glovebox/core/flow. Flow control: rate, queue, map. */
export { BoundedMap } from "./bounded-map.ts";
export { BoundedQueue } from "./bounded-queue.ts";
export { createGcra } from "./gcra.ts";
export type { Gcra, GcraAnswer, GcraDeps, GcraOptions } from "./gcra.ts";
