/**
 * @module Waiting for one thing of many under a signal that lasts. Each race with a promise that stays
 * unsettled leaves something at it, so that whoever raced the end of a log with every event would
 * fill the memory with the days.
 */

/** Resolves with the moment, or once the signal has aborted; nothing of the wait stays at either. */
export function orAborted(moment: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const leave = (): void => signal.removeEventListener("abort", onAbort);
    const onAbort = (): void => resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    moment.finally(leave).then(resolve, reject);
  });
}
