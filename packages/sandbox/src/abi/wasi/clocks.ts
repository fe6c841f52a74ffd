/**
 * @module Clocks of WASI preview 1. Programs see them rounded down, since a fine clock is what
 * measures side channels; sleeping needs no rounding. There are no clocks of CPU time: the system
 * call behind them is none that a runner may make.
 */
import { ERRNO, fail } from "./errno.ts";

const NS_PER_MS = 1e6;
const LONGEST_WAIT_MS = 2 ** 31;
const REALTIME = 0;
const MONOTONIC = 1;
/** Nobody ever wakes it: it is only waited on. */
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** The clocks of one plugin. */
export class Clocks {
  /** What clocks are rounded down to, nanoseconds. */
  readonly resolutionNs: bigint;

  constructor(resolutionNs: number) {
    this.resolutionNs = BigInt(Math.max(1, Math.trunc(resolutionNs)));
  }

  /** Fails for a clock that there is none of. */
  check(id: number): void {
    if (id !== REALTIME && id !== MONOTONIC) fail(ERRNO.INVAL);
  }

  /** What a program reads, nanoseconds. */
  read(id: number): bigint {
    const now = this.exact(id);
    return now - (now % this.resolutionNs);
  }

  /** The same without rounding, for what a program does not see. */
  exact(id: number): bigint {
    this.check(id);
    const ms = performance.now() + (id === REALTIME ? performance.timeOrigin : 0);
    const whole = Math.floor(ms);
    return BigInt(whole) * BigInt(NS_PER_MS) + BigInt(Math.floor((ms - whole) * NS_PER_MS));
  }

  /** Blocks for so many nanoseconds; the host ends the process when its call's time is up. */
  sleep(ns: bigint): void {
    // The time is attacker-controlled: from 2^63 nanoseconds on, the engine's own sum wraps around.
    for (let leftMs = Number(ns) / NS_PER_MS; leftMs > 0; leftMs -= LONGEST_WAIT_MS)
      Atomics.wait(sleeper, 0, 0, Math.min(leftMs, LONGEST_WAIT_MS));
  }
}
