/**
 * @module A budget of bytes, as the upstream model's `MemoryLimiter` ("Resource Exhaustion
 * Prevention"), without its race: there, an allocation is added first and taken back when it does
 * not fit, so that one oversized request makes honest ones fail meanwhile, and a sum that wraps
 * round passes. Here the check comes before the change, compares with what is left and so cannot
 * overflow, and nothing runs between the two.
 */
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

import { wholeNumber } from "./check-option.ts";

/** What a {@link MemoryLimiter} needs to know. */
export interface MemoryLimiterOptions {
  /** Bytes that may be allocated at once; 0 refuses every allocation but an empty one. */
  readonly maxBytes: number;
}

/** Bytes that were granted. */
export interface Allocation extends Disposable {
  readonly bytes: number;
  /** Gives the bytes back; `false` when they were given back before, which changes nothing. */
  free(): boolean;
}

/**
 * Grants bytes up to a maximum and remembers the peak. One limiter belongs to one thread.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`) when `maxBytes` is not a whole number.
 *
 * @example
 * ```ts
 * const memory = new MemoryLimiter({ maxBytes: 64 * 1024 });
 * const buffer = memory.allocate(4096);
 * if (buffer.allowed) buffer.value.free();
 * ```
 */
export class MemoryLimiter {
  readonly maxBytes: number;
  #usedBytes = 0;
  #peakBytes = 0;
  /** What is allocated now: membership, not a flag on the object, decides whether a free counts. */
  readonly #live = new WeakSet<Allocation>();

  constructor(options: MemoryLimiterOptions) {
    this.maxBytes = wholeNumber("maxBytes", options.maxBytes, 0);
  }

  /** Bytes allocated now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The most bytes that were ever allocated at once. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Grants `bytes`, or refuses with `LIMITER_MEMORY` or `LIMITER_ALLOCATION_SIZE`. */
  allocate(bytes: number): Decision<Allocation> {
    // The size is attacker-controlled: a negative or NaN one would enlarge the budget.
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      return refuse(
        "LIMITER_ALLOCATION_SIZE",
        "limiter.memory",
        `an allocation is a whole number of bytes; received ${received(bytes)}`,
      );
    }
    if (bytes > this.maxBytes - this.#usedBytes) {
      return refuse(
        "LIMITER_MEMORY",
        "limiter.memory",
        `${bytes} bytes do not fit: ${this.#usedBytes} of ${this.maxBytes} are in use`,
      );
    }
    this.#usedBytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
    const free = (): boolean => this.free(allocation);
    const allocation: Allocation = Object.freeze({
      bytes,
      free,
      [Symbol.dispose]: () => void free(),
    });
    this.#live.add(allocation);
    return allow("limiter.memory", allocation);
  }

  /**
   * Gives an allocation back. `false`, and no change, when it was given back before or is another
   * limiter's.
   */
  free(allocation: Allocation): boolean {
    if (!this.#live.delete(allocation)) return false;
    this.#usedBytes -= allocation.bytes;
    return true;
  }
}
