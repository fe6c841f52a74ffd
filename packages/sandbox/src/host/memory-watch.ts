/**
 * @module Ends a process that holds more memory than its limits can explain. The kernel's own limit
 * (RLIMIT_DATA) counts pages that can be written and are private; code that has broken out of the
 * engine fills pages and makes them read-only, and they count no more. The host therefore looks at
 * what is resident: often while a command runs, now and then while none does.
 */
import { MEMORY_LOOK_BUSY_MS, MEMORY_LOOK_IDLE_MS } from "../limits.ts";

/** What the watch reads of its runner. */
export interface WatchedMemory {
  isBusy(): boolean;
  /** Resident memory, bytes. */
  readBytes(): number;
  exceeded(bytes: number): void;
}

/** One process's timer. It never keeps the host alive. */
export class MemoryWatch {
  readonly #watched: WatchedMemory;
  #maxBytes = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #looksAtMs = Number.POSITIVE_INFINITY;

  constructor(watched: WatchedMemory) {
    this.#watched = watched;
  }

  /** Begins to look. */
  start(maxBytes: number, nowMs: number): void {
    this.#maxBytes = maxBytes;
    this.#lookIn(MEMORY_LOOK_BUSY_MS, nowMs);
  }

  /** To be called when a command begins. */
  hasten(nowMs: number): void {
    if (this.#timer !== undefined && this.#looksAtMs - nowMs > MEMORY_LOOK_BUSY_MS) {
      this.#lookIn(MEMORY_LOOK_BUSY_MS, nowMs);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #lookIn(ms: number, nowMs: number): void {
    clearTimeout(this.#timer);
    this.#looksAtMs = nowMs + ms;
    this.#timer = setTimeout(this.#look, ms).unref();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const bytes = this.#watched.readBytes();
    if (bytes > this.#maxBytes) {
      this.#watched.exceeded(bytes);
      return;
    }
    const ms = this.#watched.isBusy() ? MEMORY_LOOK_BUSY_MS : MEMORY_LOOK_IDLE_MS;
    this.#lookIn(ms, performance.now());
  };
}
