/**
 * @module Many timers on one of the clock's. A request has a time for its look-up, its first byte, its
 * whole and more; nearly all are cancelled before they run, and starting a timer of the machine for
 * each was a large part of what a request cost (bench: https_request_vs_undici).
 */
import type { Clock, Timer } from "@glovebox/core/clock";

/** A clock whose timers share one of the given clock's, which is set again only for an earlier time. */
export function shareTimer(clock: Clock): Clock {
  const waiting = new Set<SharedTimer>();
  let timer: Timer | undefined;
  let timerMs = Infinity;

  function arm(endMs: number): void {
    timer?.cancel();
    timerMs = endMs;
    timer = clock.setTimer(Math.max(endMs - clock.monotonicMs(), 0), runDue);
  }

  function runDue(): void {
    timerMs = Infinity;
    const nowMs = clock.monotonicMs();
    const due = Array.from(waiting).filter(({ endMs }) => endMs <= nowMs);
    try {
      for (const one of due.toSorted((left, right) => left.endMs - right.endMs))
        if (waiting.delete(one)) one.run();
    } finally {
      let nextMs = Infinity;
      for (const { endMs } of waiting) nextMs = Math.min(nextMs, endMs);
      if (nextMs < timerMs) arm(nextMs);
    }
  }

  return {
    wallMs: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimer(afterMs, run) {
      // Refused in the clock's own words.
      if (!(afterMs >= 0)) return clock.setTimer(afterMs, run);
      const one = new SharedTimer(clock.monotonicMs() + afterMs, run, waiting);
      if (one.endMs < timerMs) arm(one.endMs);
      return one;
    },
  };
}

class SharedTimer implements Timer {
  readonly endMs: number;
  readonly run: () => void;
  readonly #waiting: Set<SharedTimer>;

  constructor(endMs: number, run: () => void, waiting: Set<SharedTimer>) {
    this.endMs = endMs;
    this.run = run;
    this.#waiting = waiting;
    waiting.add(this);
  }

  cancel(): void {
    this.#waiting.delete(this);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}
