/**
 * @module Listens to the abort signals of calls that last. Adding and removing a listener costs as
 * much as a tenth of a short call, so that a call is looked at only a millisecond after it began,
 * together with all others of that millisecond; most have settled by then.
 */

/** A call that can be aborted. */
export interface Abortable {
  readonly signal: AbortSignal;
  /** Whether it has settled; it is then forgotten. */
  settled: boolean;
  abort(): void;
}

const DELAY_MS = 1;

/** Watches the calls of one plugin. */
export class AbortWatch {
  #young: Abortable[] = [];
  readonly #listeners = new Map<Abortable, () => void>();
  #listening = false;

  /** Begins to watch; the signal was not aborted yet. */
  add(call: Abortable): void {
    this.#young.push(call);
    if (this.#listening) return;
    this.#listening = true;
    setTimeout(this.#listen, DELAY_MS);
  }

  /** Stops watching a call that has settled. */
  settle(call: Abortable): void {
    call.settled = true;
    const listener = this.#listeners.get(call);
    if (listener === undefined) return;
    this.#listeners.delete(call);
    call.signal.removeEventListener("abort", listener);
  }

  readonly #listen = (): void => {
    this.#listening = false;
    const calls = this.#young;
    this.#young = [];
    for (const call of calls) {
      if (call.settled) continue;
      if (call.signal.aborted) {
        call.abort();
        continue;
      }
      const listener = (): void => call.abort();
      this.#listeners.set(call, listener);
      call.signal.addEventListener("abort", listener, { once: true });
    }
  };
}
