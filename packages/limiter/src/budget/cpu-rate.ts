/**
 * @module What a call that ended in a trap is charged. Its own counter cannot be asked any more, and
 * charging all that was reserved would let one trap empty a budget that others share. So it is
 * charged by the CPU time that the kernel saw, at the rate at which calls that ended well turn CPU
 * time into units.
 */
import { outside, positive } from "../check-option.ts";
import { CPU_RATE_DECAY, MIN_CALIBRATION_CPU_MS } from "../limits.ts";

/** The range within which the rate is calibrated, in units per millisecond of CPU time. */
export interface CpuRateOptions {
  /** The rate at first and at least; above 0. */
  readonly minPerMs: number;
  /** The rate at most; finite, at least `minPerMs`. */
  readonly maxPerMs: number;
}

/** Turns CPU time into units. */
export interface CpuRate {
  /** Learns from a call whose count is exact. Calls of less than 1 ms say too little and are ignored. */
  observe(units: number, cpuMs: number): void;
  /** What a call that used so much CPU time is charged: whole units, rounded up. */
  unitsFor(cpuMs: number): number;
}

/**
 * Makes a rate that follows the fastest calls: it rises at once and falls slowly, so that a plugin
 * which runs slow instructions cannot make everybody's traps cheap.
 *
 * @throws {@link LimiterError} (`LIMITER_OPTION`) for an option outside its range.
 */
export function createCpuRate(options: CpuRateOptions): CpuRate {
  const minPerMs = positive("minPerMs", options.minPerMs);
  const { maxPerMs } = options;
  if (!(maxPerMs >= minPerMs && maxPerMs < Infinity)) {
    throw outside("maxPerMs", "a finite number of at least minPerMs", maxPerMs);
  }
  let perMs = minPerMs;
  return {
    observe(units, cpuMs) {
      if (!(cpuMs >= MIN_CALIBRATION_CPU_MS && units >= 0)) return;
      const slower = Math.max(minPerMs, perMs * CPU_RATE_DECAY);
      perMs = Math.min(maxPerMs, Math.max(slower, units / cpuMs));
    },
    unitsFor(cpuMs) {
      if (!(cpuMs >= 0 && cpuMs < Infinity))
        throw outside("cpuMs", "a finite number of at least 0", cpuMs);
      return Math.ceil(cpuMs * perMs);
    },
  };
}
