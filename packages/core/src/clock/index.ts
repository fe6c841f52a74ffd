/** @module The door @glovebox/core/clock. Time and timers as a port. */
export type { Clock, Timer } from "./clock.ts";
export { systemClock } from "./clock.ts";
