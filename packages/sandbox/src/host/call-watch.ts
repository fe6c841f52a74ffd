/**
 * @module Ends a command that uses more CPU or wall time than it may, with one lazy timer per
 * runner: it sleeps for what is left of the tighter limit, so that a short call costs no wake-up.
 * CPU time is the kernel's count of the runner (a plugin cannot forge it); it never exceeds wall
 * time, which is why sleeping for the remaining CPU budget never wakes too late.
 *
 * A host whose event loop was late must not blame the plugin for replies that it has not read yet:
 * before it acts, the watch lets the poll phase run once and looks whether there was progress.
 */
import type { ExchangeLimits } from "./exchange.ts";

/** What the watch reads of its runner. */
export interface Watched {
  /** The command that runs now. */
  current():
    | { readonly limits: ExchangeLimits; readonly startedMs: number; readonly startedCpuMs: number }
    | undefined;
  /** Number of answers so far. */
  progress(): number;
  /** CPU time of the runner so far, milliseconds; `undefined` where there is no trusted clock. */
  readCpuMs(): number | undefined;
  /** The limit that was exceeded and what was used. */
  exceeded(limit: "cpu" | "wall", usedMs: number): void;
}

const MIN_SLEEP_MS = 1;

/** One runner's timer. */
export class CallWatch {
  readonly #watched: Watched;
  #timer: NodeJS.Timeout | undefined;
  #wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** To be called when a command begins. */
  start(limits: ExchangeLimits, nowMs: number): void {
    const sleepMs = Math.min(limits.cpuMs, limits.wallMs);
    if (nowMs + sleepMs < this.#wakesAtMs) this.#sleep(sleepMs, nowMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
  }

  #sleep(ms: number, nowMs: number): void {
    clearTimeout(this.#timer);
    const sleepMs = Math.max(MIN_SLEEP_MS, ms);
    this.#wakesAtMs = nowMs + sleepMs;
    this.#timer = setTimeout(this.#wake, sleepMs);
  }

  readonly #wake = (): void => {
    this.stop();
    const found = this.#inspect();
    if (found === undefined) return;
    if (found.limit === undefined) {
      this.#sleep(found.leftMs, performance.now());
      return;
    }
    const before = this.#watched.progress();
    setImmediate(() => {
      if (this.#watched.progress() !== before) {
        const current = this.#watched.current();
        if (current !== undefined) this.start(current.limits, performance.now());
        return;
      }
      const again = this.#inspect();
      if (again?.limit !== undefined) this.#watched.exceeded(again.limit, again.usedMs);
    });
  };

  #inspect(): { limit?: "cpu" | "wall"; usedMs: number; leftMs: number } | undefined {
    const current = this.#watched.current();
    if (current === undefined) return undefined;
    const { limits, startedMs, startedCpuMs } = current;
    const wallMs = performance.now() - startedMs;
    const cpuNowMs = this.#watched.readCpuMs();
    const cpuMs = cpuNowMs === undefined ? wallMs : cpuNowMs - startedCpuMs;
    if (cpuMs >= limits.cpuMs) return { limit: "cpu", usedMs: cpuMs, leftMs: 0 };
    if (wallMs >= limits.wallMs) return { limit: "wall", usedMs: wallMs, leftMs: 0 };
    return { usedMs: cpuMs, leftMs: Math.min(limits.cpuMs - cpuMs, limits.wallMs - wallMs) };
  }
}
