/**
 * @module Time as a dependency. Whatever waits, limits or stamps takes a {@link Clock}, so that its
 * tests move time by hand instead of sleeping. Durations come from the monotonic clock only:
 * setting the system's time must not lengthen a deadline.
 */
import { CoreError, received } from "../errors/index.ts";

/** A running timer; disposing it cancels it. */
export interface Timer extends Disposable {
  /** Stops the timer; does nothing once it has run or was cancelled. */
  cancel(): void;
}

/** Where time comes from. */
export interface Clock {
  /** Milliseconds since 1970, for records that people read; may jump either way. */
  wallMs(): number;
  /** Milliseconds since some start, with fractions; never goes back. For durations. */
  monotonicMs(): number;
  /**
   * Calls `run` once, no earlier than `afterMs` milliseconds from now and never within this call;
   * `Infinity` never runs.
   *
   * @throws {@link CoreError} (`CORE_OPTION`) when `afterMs` is negative or not a number.
   */
  setTimer(afterMs: number, run: () => void): Timer;
}

/** The longest delay of `setTimeout`; with a longer one Node.js fires after 1 ms. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = Object.freeze({
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: startTimer,
});

function startTimer(afterMs: number, run: () => void): Timer {
  if (!(afterMs >= 0)) {
    throw new CoreError("CORE_OPTION", {
      message: `afterMs must be 0 or more milliseconds; received ${received(afterMs)}`,
    });
  }
  const endMs = performance.now() + afterMs;
  let handle: NodeJS.Timeout;
  const wait = (): void => {
    const leftMs = endMs - performance.now();
    // Rounded up, because setTimeout drops the fraction and would fire up to 1 ms early.
    handle = setTimeout(
      () => {
        if (performance.now() >= endMs) run();
        else wait();
      },
      Math.min(Math.max(Math.ceil(leftMs), 0), MAX_TIMEOUT_MS),
    );
    handle.unref();
  };
  wait();
  const cancel = (): void => clearTimeout(handle);
  return { cancel, [Symbol.dispose]: cancel };
}
