/**
 * @module The end of a call for whatever waits for it, over one listener for each call's signal: a
 * listener for every look-up and exchange costs more than deciding them (bench:
 * https_request_vs_undici).
 */
const waitingFor = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `run` when the signal is aborted from now on; the answer unregisters. */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const waiting = waitingFor.get(signal) ?? listen(signal);
  waiting.add(run);
  return () => void waiting.delete(run);
}

function listen(signal: AbortSignal): Set<() => void> {
  const waiting = new Set<() => void>();
  waitingFor.set(signal, waiting);
  const runAll = (): void => {
    for (const run of Array.from(waiting)) run();
  };
  signal.addEventListener("abort", runAll, { once: true });
  return waiting;
}
