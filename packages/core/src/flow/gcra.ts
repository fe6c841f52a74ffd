/**
 * @module Rate limiting by the generic cell rate algorithm (ITU-T I.371 annex A, the virtual
 * scheduling form): one number per key, no timer, and a synchronous answer that says how long to
 * wait. A refused request costs nothing, so an attacker who hammers cannot lock a key for good.
 */
import { systemClock } from "../clock/index.ts";
import type { Clock } from "../clock/index.ts";
import { CoreError, received } from "../errors/index.ts";

/** How much may pass. */
export interface GcraOptions {
  /** Cost that becomes available per second; above 0, fractions allowed. */
  readonly ratePerSecond: number;
  /** Cost that may pass at once after a rest; above 0. A cost above it never passes. */
  readonly burst: number;
}

/** Where time comes from; the machine's clock by default. */
export interface GcraDeps {
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** Taken, or the whole milliseconds after which the same cost would pass (`Infinity`: never). */
export type GcraAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly retryAfterMs: number };

/** The budget of one key. */
export interface Gcra {
  /**
   * Takes `cost` (default 1; 0 or more) or says when to come back.
   *
   * @throws {@link CoreError} (`CORE_OPTION`) when `cost` is negative or not a number.
   */
  tryTake(cost?: number): GcraAnswer;
  /** Is the whole burst available? Then forgetting this key and starting anew gives nothing away. */
  isIdle(): boolean;
}

/** Slack for rounding when many costs are added up, so that a whole burst always passes. */
const ROUNDING_MS = 0.001;
const TAKEN: GcraAnswer = Object.freeze({ ok: true });

/**
 * Creates the budget of one key, full at first.
 *
 * @throws {@link CoreError} (`CORE_OPTION`) when an option is not a finite number above 0.
 * @example
 * ```ts
 * const logins = createGcra({ ratePerSecond: 1, burst: 5 });
 * const answer = logins.tryTake();
 * if (!answer.ok) response.setHeader("Retry-After", Math.ceil(answer.retryAfterMs / 1000));
 * ```
 */
export function createGcra(options: GcraOptions, deps: GcraDeps = { clock: systemClock }): Gcra {
  return new Cell(options, deps.clock);
}

/** One key's budget. A class, since a number in a field is changed in place and one in a closure is made anew. */
class Cell implements Gcra {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #msPerUnit: number;
  readonly #burstMs: number;
  /** When all that was taken is paid for: the "theoretical arrival time". */
  #paidAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: GcraOptions, clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#msPerUnit = 1000 / positive("ratePerSecond", options.ratePerSecond);
    this.#burstMs = positive("burst", options.burst) * this.#msPerUnit;
  }

  tryTake(cost = 1): GcraAnswer {
    // A negative cost would refill the budget.
    if (!(cost >= 0)) throw wrongNumber("cost", "0 or more", cost);
    const nowMs = this.#clock.monotonicMs();
    const costMs = cost * this.#msPerUnit;
    const nextMs = Math.max(nowMs, this.#paidAtMs) + costMs;
    const waitMs = nextMs - this.#burstMs - nowMs;
    if (waitMs > ROUNDING_MS) {
      const never = costMs > this.#burstMs + ROUNDING_MS;
      return { ok: false, retryAfterMs: never ? Infinity : Math.ceil(waitMs) };
    }
    this.#paidAtMs = nextMs;
    return TAKEN;
  }

  isIdle(): boolean {
    return this.#paidAtMs <= this.#clock.monotonicMs();
  }
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw wrongNumber(name, "a finite number above 0", value);
}

function wrongNumber(name: string, expected: string, value: unknown): CoreError {
  return new CoreError("CORE_OPTION", {
    message: `${name} must be ${expected}; received ${received(value)}`,
  });
}
