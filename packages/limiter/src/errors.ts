/**
 * @module The codes of this package. Most name a refusal, which is returned; `LIMITER_OPTION` is
 * thrown for a mistake of the programmer, and the deadline codes are abort reasons.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code of this package: what it means and what to do. */
export const LIMITER_ERRORS = {
  LIMITER_OPTION: {
    summary: "An option of the limiter is outside its range.",
    advice: "Correct the option named in the message.",
  },
  LIMITER_CONCURRENCY: {
    summary: "All slots for running calls are taken.",
    advice: "Try again shortly, wait with `admit`, or raise the limit that the rule names.",
  },
  LIMITER_QUEUE_FULL: {
    summary: "Too many calls already wait for a slot.",
    advice: "Try again later; the callers are faster than the plugin.",
  },
  LIMITER_QUEUE_TIMEOUT: {
    summary: "The call waited for a slot for as long as a call may wait.",
    advice: "Try again later, or give the plugin more slots.",
  },
  LIMITER_RATE: {
    summary: "Calls come faster than the rate that is allowed.",
    advice:
      "Wait for `retryAfterMs`; the rule says whether the plugin's or the tenant's rate spoke.",
  },
  LIMITER_THROTTLED: {
    summary: "The plugin is throttled to a standstill.",
    advice: "Find out why it was throttled, then set its level below 1.",
  },
  LIMITER_KEYS: {
    summary: "The table of plugins or tenants is full of entries that are in use.",
    advice: "Look for a key made up for each request; raise `maxKeys` if there are that many.",
  },
  LIMITER_ABORTED: {
    summary: "The caller gave up before the call could start.",
    advice: "Expected when a caller leaves or its deadline passes.",
  },
  LIMITER_CLOSED: {
    summary: "The limiter is closed.",
    advice: "Expected while the host shuts down.",
  },
  LIMITER_BUDGET: {
    summary: "The budget that the rule names has not as much left as the call may use.",
    advice: "Wait for `retryAfterMs`, give the call a smaller limit, or raise the budget.",
  },
  LIMITER_MEMORY: {
    summary: "The memory that was asked for is not left.",
    advice: "Free allocations, ask for less, or raise `maxBytes`.",
  },
  LIMITER_ALLOCATION_SIZE: {
    summary: "The size of an allocation is not a whole number of bytes.",
    advice: "Ask for a whole number from 0 to 2^53-1.",
  },
  LIMITER_WALL_DEADLINE: {
    summary: "The work took longer than its wall-clock limit.",
    advice: "Give it more time, or let it do less.",
  },
  LIMITER_CPU_DEADLINE: {
    summary: "The work used more CPU time than its limit.",
    advice: "Give it more CPU time, or let it do less.",
  },
  LIMITER_CPU_UNREADABLE: {
    summary: "The CPU time of limited work could not be read, so the work was stopped.",
    advice: "Look at the cause: a limit that cannot be measured is not left unguarded.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type LimiterErrorCode = keyof typeof LIMITER_ERRORS;

/** The error of this package; match on `code`. */
export class LimiterError extends SecurityError<LimiterErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/limiter/LimiterError");

  constructor(code: LimiterErrorCode, options: SecurityErrorOptions = {}) {
    super(code, LIMITER_ERRORS[code], options);
  }
}
