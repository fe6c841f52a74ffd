/**
 * @module Keeps the event loop from falling asleep for the few microseconds that a short call
 * takes: waking a sleeping core costs more than the call (bench `calls`: 1.2× a worker thread
 * without this, 1.0× with it). Turns of the loop are added, nothing is blocked: timers, sockets and
 * other calls go on. It ends after {@link MAX_SPIN_MS}, runs only where a second core can do the
 * plugin's work meanwhile, and only for runners whose calls have been that short lately.
 */
import { availableParallelism } from "node:os";

/** Longest spin after a call began, milliseconds: what a call of a kilobyte takes, twice. */
export const MAX_SPIN_MS = 0.08;

const canSpin = availableParallelism() > 1;
let spinUntilMs = 0;
let spinning = false;

/** Weight of the latest wait in the running mean. */
const TYPICAL_WEIGHT = 0.1;

/** One kind of wait for a runner: keeps the loop awake while such waits have been short lately. */
export class ShortWait {
  #typicalMs = 1;
  #sinceMs = 0;

  /** The runner has something to do from now on. */
  begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    spinForReply(nowMs, this.#typicalMs);
  }

  /** It has answered. */
  end(nowMs: number): void {
    this.#typicalMs += (nowMs - this.#sinceMs - this.#typicalMs) * TYPICAL_WEIGHT;
  }
}

/** To be called when a call begins at `nowMs` in a runner whose calls take `typicalMs`. */
function spinForReply(nowMs: number, typicalMs: number): void {
  if (!canSpin || typicalMs > MAX_SPIN_MS) return;
  spinUntilMs = nowMs + MAX_SPIN_MS;
  if (spinning) return;
  spinning = true;
  setImmediate(turn);
}

/** To be called when no call is under way in a runner: the reply is there. */
export function endSpin(): void {
  spinUntilMs = 0;
}

function turn(): void {
  if (performance.now() < spinUntilMs) setImmediate(turn);
  else spinning = false;
}
