/**
 * @module A clock that stands still until a test advances it, in place of sleeping. Wall and
 * monotonic time move together; the wall clock can also jump, as it does when an administrator or
 * NTP sets it, so that a test can show that a deadline does not follow it.
 */
import type { Clock, Timer } from "@glovebox/core/clock";
import { CoreError, received } from "@glovebox/core/errors";

import { TestkitError } from "../errors.ts";
import { MAX_TIMERS_PER_ADVANCE } from "../limits.ts";

/** Core's clock, moved by hand. */
export interface FakeClock extends Clock {
  /** Moves time forward by milliseconds and runs every timer that falls due, in order of time. */
  advance(ms: number): void;
  /** Sets the wall clock only, forwards or backwards; no timer runs. */
  setWallMs(ms: number): void;
  /** Timers that are neither run nor cancelled. */
  readonly pendingTimers: number;
}

/** Where the clock starts. */
export interface FakeClockOptions {
  /** Wall time in milliseconds since 1970. Default: 2026-01-01T00:00:00Z. */
  readonly wallMs?: number;
}

interface Entry {
  readonly dueMs: number;
  readonly run: () => void;
}

/**
 * Makes a fake clock; its monotonic time starts at 0.
 *
 * @throws {@link TestkitError} from its functions: (`TESTKIT_CLOCK`) for a time that is not finite
 * or moves backwards, (`TESTKIT_CLOCK_RUNAWAY`) when timers re-arm without end;
 * {@link CoreError} (`CORE_OPTION`) for a delay that core's clock refuses too.
 *
 * @example
 * ```ts
 * const clock = fakeClock();
 * clock.setTimer(100, () => controller.abort());
 * clock.advance(100);
 * ```
 */
export function fakeClock(options: FakeClockOptions = {}): FakeClock {
  let nowMs = 0;
  let wallOffsetMs = finite(options.wallMs ?? Date.UTC(2026, 0, 1));
  // Insertion order is kept, and with it the order of timers that are due at the same time.
  const timers = new Set<Entry>();

  return {
    wallMs: () => wallOffsetMs + nowMs,
    monotonicMs: () => nowMs,
    setTimer(afterMs, run): Timer {
      // As core's clock: `Infinity` never runs, and what is not a delay is refused.
      if (!(afterMs >= 0)) {
        throw new CoreError("CORE_OPTION", {
          message: `afterMs must be 0 or more milliseconds; received ${received(afterMs)}`,
        });
      }
      const entry: Entry = { dueMs: nowMs + afterMs, run };
      timers.add(entry);
      const cancel = (): void => void timers.delete(entry);
      return { cancel, [Symbol.dispose]: cancel };
    },
    advance(ms): void {
      if (finite(ms) < 0) {
        throw new TestkitError("TESTKIT_CLOCK", {
          message: `time does not run backwards: ${ms} ms`,
        });
      }
      const targetMs = nowMs + ms;
      for (let runs = 0; ; runs += 1) {
        const next = earliest(timers);
        if (next === undefined || next.dueMs > targetMs) break;
        if (runs >= MAX_TIMERS_PER_ADVANCE) throw new TestkitError("TESTKIT_CLOCK_RUNAWAY");
        timers.delete(next);
        // A callback may itself have advanced the clock.
        nowMs = Math.max(nowMs, next.dueMs);
        next.run();
      }
      nowMs = Math.max(nowMs, targetMs);
    },
    setWallMs(ms): void {
      wallOffsetMs = finite(ms) - nowMs;
    },
    get pendingTimers(): number {
      return timers.size;
    },
  };
}

function earliest(timers: Iterable<Entry>): Entry | undefined {
  let found: Entry | undefined;
  for (const entry of timers) {
    if (found === undefined || entry.dueMs < found.dueMs) found = entry;
  }
  return found;
}

function finite(ms: number): number {
  if (Number.isFinite(ms)) return ms;
  throw new TestkitError("TESTKIT_CLOCK", {
    message: `expected finite milliseconds, received ${ms}`,
  });
}
